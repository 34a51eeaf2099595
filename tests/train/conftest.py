import os
from dataclasses import dataclass, replace

import numpy as np
import pytest

from hier_dag.graph.csr import from_coo
from hier_dag.graph.knowledge_graph import TRAIN, VALIDATION, Interactions, KnowledgeGraph
from hier_dag.train.params import PretrainParams

N_USERS, N_ITEMS, N_ENTITIES = 120, 90, 12


def _interactions(rng, taste, kinds, users, items):
    """Each user takes six items, five of them of the kind the user likes."""
    user = np.repeat(users, 6)
    likes = (kinds[items][None, :] == taste[user][:, None]) * 5.0 + 1.0
    noise = rng.gumbel(size=likes.shape) + np.log(likes)
    pair = np.unique(user * N_ITEMS + items[noise.argmax(1)])
    user, item = pair // N_ITEMS, pair % N_ITEMS
    split = np.where(rng.random(len(user)) < 0.2, VALIDATION, TRAIN).astype(np.int8)
    n = len(user)
    return Interactions(user, item, split, np.ones(n, np.int32), rng.random(n), np.ones(n, np.float32))


def platform(target_seed=1):
    """Sources a and b, target t: users like one of three kinds of item, kinds own four entities each."""
    rng = np.random.default_rng(0)
    taste, kinds = rng.integers(0, 3, N_USERS), rng.integers(0, 3, N_ITEMS)
    link_item = np.repeat(np.arange(N_ITEMS), 2)
    link_entity = kinds[link_item] * 4 + np.concatenate([rng.permutation(4)[:2] for _ in range(N_ITEMS)])
    areas = {"a": np.arange(40), "b": np.arange(40, 70), "t": np.arange(70, 90)}
    people = {"a": np.arange(80), "b": np.arange(40, 110), "t": np.arange(20, 120)}
    seeds = {"a": 10, "b": 11, "t": target_seed}
    logs = {
        d: _interactions(np.random.default_rng(seeds[d]), taste, kinds, people[d], areas[d]) for d in areas
    }
    none = np.zeros(0, np.int64)
    return KnowledgeGraph(
        sources=("a", "b"),
        targets=("t",),
        user_ids=np.array([f"u{n}" for n in range(N_USERS)], dtype=object),
        item_ids=np.array([f"i{n}" for n in range(N_ITEMS)], dtype=object),
        entity_ids=np.array([f"e{n}" for n in range(N_ENTITIES)], dtype=object),
        entity_names=np.array([f"kind {n // 4}, trait {n % 4}" for n in range(N_ENTITIES)], dtype=object),
        interacts={d: from_coo(*x.part(TRAIN), N_USERS, N_ITEMS) for d, x in logs.items()},
        has_entity=from_coo(link_item, link_entity, N_ITEMS, N_ENTITIES),
        entity_entity=from_coo(none, none, N_ENTITIES, N_ENTITIES),
        social=from_coo(none, none, N_USERS, N_USERS),
        catalogue=areas,
        audience=people,
        interactions=logs,
    )


SMALL = PretrainParams(
    dim=16,
    intents=4,
    exemplars=6,
    epochs=6,
    batch_size=128,
    negatives=16,
    learning_rate=0.02,
    device=os.environ.get("HIER_TEST_DEVICE", "cpu"),
    threads=1,
)


@dataclass(frozen=True)
class Case:
    params: PretrainParams
    graph: KnowledgeGraph

    def with_params(self, **changes):
        return replace(self.params, **changes)


@pytest.fixture(scope="session")
def case():
    return Case(SMALL, platform())


@pytest.fixture(scope="session")
def other_targets():
    return platform(target_seed=2)


@pytest.fixture(scope="session")
def pretrained(case):
    from hier_dag.train.pretrain import pretrain

    return pretrain(case.graph, case.params)
