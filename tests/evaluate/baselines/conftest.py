import numpy as np
import pytest

from hier_dag.graph.csr import from_coo
from hier_dag.graph.knowledge_graph import Interactions, KnowledgeGraph


@pytest.fixture
def two_tastes():
    """Source items 0 (tea), 1 (tools); target items 2 (tea), 3 (tools), 4 (both). Users 0, 1 and a cold 2."""
    empty = np.zeros(0, np.int64)
    nothing = Interactions(
        empty,
        empty,
        empty.astype(np.int8),
        empty.astype(np.int32),
        empty.astype(float),
        empty.astype(np.float32),
    )
    return KnowledgeGraph(
        sources=("shop",),
        targets=("cafe",),
        user_ids=np.array(["a", "b", "c"], dtype=object),
        item_ids=np.array(list("01234"), dtype=object),
        entity_ids=np.array(["tea", "tools"], dtype=object),
        entity_names=np.array(["tea", "tools"], dtype=object),
        interacts={
            "shop": from_coo(np.array([0, 1]), np.array([0, 1]), 3, 5),
            "cafe": from_coo(empty, empty, 3, 5),
        },
        has_entity=from_coo(np.array([0, 1, 2, 3, 4, 4]), np.array([0, 1, 0, 1, 0, 1]), 5, 2),
        entity_entity=from_coo(empty, empty, 2, 2),
        social=from_coo(empty, empty, 3, 3),
        catalogue={"cafe": np.array([2, 3, 4])},
        audience={"cafe": np.array([0, 1, 2])},
        interactions={"cafe": nothing},
    )
