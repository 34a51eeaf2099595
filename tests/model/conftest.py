import numpy as np
import pytest

from hier_dag.graph.csr import from_coo
from hier_dag.graph.knowledge_graph import TRAIN, Interactions, KnowledgeGraph
from hier_dag.model.source_view import source_view


def _ids(prefix, n):
    return np.array([f"{prefix}{i}" for i in range(n)], dtype=object)


def _pairs(pairs):
    user, item = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    n = len(user)
    return Interactions(
        user=user,
        item=item,
        split=np.full(n, TRAIN, np.int8),
        shot_rank=np.ones(n, np.int32),
        share_rank=np.zeros(n),
        weight=np.ones(n, np.float32),
    )


def hand_graph(target_pairs=((1, 4), (3, 4))):
    """4 users, 6 items, 5 entities.

    Source `s`: u0 took i0 i1, u1 took i1 i2 i3, u2 took i0; u3 took nothing. i3 has no entity. Target `t`
    holds i4 (entities 3 and 4) and i5 (no entity). Entity 4 sits on no source item; triple 0-2.
    """
    links = np.array([(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 3), (4, 3), (4, 4)])
    interactions = {"s": _pairs([(0, 0), (0, 1), (1, 1), (1, 2), (1, 3), (2, 0)]), "t": _pairs(target_pairs)}
    none = np.zeros(0, np.int64)
    return KnowledgeGraph(
        sources=("s",),
        targets=("t",),
        user_ids=_ids("u", 4),
        item_ids=_ids("i", 6),
        entity_ids=_ids("e", 5),
        entity_names=_ids("entity ", 5),
        interacts={d: from_coo(x.user, x.item, 4, 6) for d, x in interactions.items()},
        has_entity=from_coo(links[:, 0], links[:, 1], 6, 5),
        entity_entity=from_coo(np.array([0, 2]), np.array([2, 0]), 5, 5, kinds=np.zeros(2, np.int64)),
        social=from_coo(none, none, 4, 4),
        catalogue={"s": np.arange(4), "t": np.array([4, 5])},
        audience={"s": np.arange(3), "t": np.array([1, 3])},
        interactions=interactions,
        entity_relations=("part_of",),
    )


@pytest.fixture
def graph():
    return hand_graph()


@pytest.fixture
def graph_with():
    return hand_graph


@pytest.fixture
def view(graph):
    return source_view(graph)
