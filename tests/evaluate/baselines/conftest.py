import numpy as np
import pytest

from hier_dag.evaluate.baselines import Evidence
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


def make_small_platform(seed=0, shared_items=True):
    """Two sources that share users (and items), a target with cold users, and items without entities.

    Users 0-23: 0-17 have source history, 18-23 none. Items: shop 0-9, market 8-15 (or 10-15), cafe 14-21
    where items are shared, else 16-23; items 5 and 21 have no entity.
    """
    rng = np.random.default_rng(seed)
    n_users, n_items, n_entities = 24, 24, 5
    items = {
        "shop": np.arange(10),
        "market": np.arange(8 if shared_items else 10, 16),
        "cafe": np.arange(14, 22) if shared_items else np.arange(16, 24),
    }
    taste = rng.integers(n_entities, size=n_users)
    kind = rng.integers(n_entities, size=n_items)

    def pairs(domain, users, keep):
        liked = rng.random((len(users), len(items[domain])))
        likes = liked < np.where(taste[users][:, None] == kind[items[domain]][None, :], 3 * keep, keep)
        user, item = np.nonzero(likes)
        return users[user], items[domain][item]

    interacts, interactions = {}, {}
    for domain, users in (("shop", np.arange(18)), ("market", np.arange(4, 18)), ("cafe", np.arange(2, 24))):
        user, item = pairs(domain, users, 0.2)
        interacts[domain] = from_coo(user, item, n_users, n_items)
        n = len(user)
        interactions[domain] = Interactions(
            user, item, np.zeros(n, np.int8), np.ones(n, np.int32), rng.random(n), np.ones(n, np.float32)
        )
    linked = np.setdiff1d(np.arange(n_items), [5, 21])
    link_item = np.concatenate([linked, linked[::2]])
    link_entity = np.concatenate([kind[linked], (kind[linked[::2]] + 1) % n_entities])
    empty = np.zeros(0, np.int64)
    names = [np.arange(n).astype(str).astype(object) for n in (n_users, n_items, n_entities)]
    return KnowledgeGraph(
        sources=("shop", "market"),
        targets=("cafe",),
        user_ids=names[0],
        item_ids=names[1],
        entity_ids=names[2],
        entity_names=names[2],
        interacts=interacts,
        has_entity=from_coo(link_item, link_entity, n_items, n_entities),
        entity_entity=from_coo(
            np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2]), 5, 5, kinds=np.array([0, 0, 1, 1])
        ),
        social=from_coo(empty, empty, n_users, n_users),
        catalogue=items,
        audience={"shop": np.arange(18), "market": np.arange(4, 18), "cafe": np.arange(2, 24)},
        interactions=interactions,
    )


@pytest.fixture(params=[True, False], ids=["items shared", "items apart"])
def small_platform(request):
    return make_small_platform(shared_items=request.param)


@pytest.fixture(name="make_small_platform")
def make_small_platform_fixture():
    return make_small_platform


def few_shot(graph, share=0.6, seed=0, **more):
    """Part of the café's pairs; users 20-23 and its last item never among them."""
    user, item = graph.interactions["cafe"].user, graph.interactions["cafe"].item
    keep = np.random.default_rng(seed).random(len(user)) < share
    keep &= (user < 20) & (item != graph.catalogue["cafe"][-1])
    return Evidence(graph=graph, domain="cafe", user=user[keep], item=item[keep], **more)


@pytest.fixture(name="few_shot")
def few_shot_fixture():
    return few_shot


@pytest.fixture
def zero_shot():
    empty = np.zeros(0, np.int64)
    return lambda graph, **more: Evidence(graph=graph, domain="cafe", user=empty, item=empty, **more)


def dense(evidence):
    """Source and few-shot interactions, users × items of zeros and ones, by loops."""
    graph = evidence.graph
    out = np.zeros((graph.n_users, graph.n_items))
    for source in graph.sources:
        rows = graph.interacts[source]
        for user, item in zip(rows.row_of_entry(), rows.indices, strict=True):
            out[user, item] = 1
    for user, item in zip(evidence.user, evidence.item, strict=True):
        out[user, item] = 1
    return out


@pytest.fixture(name="dense")
def dense_fixture():
    return dense
