import dataclasses

import numpy as np
import pytest

from hier_dag.graph.csr import from_coo
from hier_dag.graph.knowledge_graph import TEST, TRAIN, VALIDATION, Interactions, KnowledgeGraph
from hier_dag.model.encoding import FALLBACK, KG_INFERRED, TRAINED, Encoding
from hier_dag.model.entity_profiles import entity_profiles
from hier_dag.model.interactions import encode_interactions


def interactions(rng, users, items, per_user):
    """Each user draws items (low numbers more often): half test, one validation, the rest training."""
    user, item, split, rank = [], [], [], []
    weights = 1.0 / np.arange(1, len(items) + 1)
    for u in users:
        chosen = rng.choice(items, size=min(per_user, len(items)), replace=False, p=weights / weights.sum())
        for at, i in enumerate(chosen):
            part = TEST if at % 2 else VALIDATION if at == 4 else TRAIN
            user.append(u), item.append(i), split.append(part)
            rank.append(sum(s == TRAIN for s in split[len(split) - at - 1 :]) if part == TRAIN else 0)
    n = len(user)
    return Interactions(
        np.array(user, np.int64), np.array(item, np.int64),
        np.array(split, np.int8), np.array(rank, np.int32),
        rng.random(n), np.ones(n, np.float32),
    )  # fmt: skip


def make_platform(n_users=40, n_target_items=20, n_cold=5, per_user=8, d=6, seed=0):
    """A source `shop` (items 0-9), a target `cafe` with interactions and a target `desert` without any."""
    rng = np.random.default_rng(seed)
    n_items = 10 + n_target_items
    users, items = np.arange(n_users), np.arange(n_items)
    cafe = interactions(rng, users, items[10:], per_user)
    known = users[n_cold:] if n_users > n_cold else users
    shop_item = rng.integers(0, 10, len(known))
    empty = interactions(rng, users[:0], items[10:], 0)
    train_user, train_item = cafe.part(TRAIN)
    n = (n_users, n_items)
    graph = KnowledgeGraph(
        sources=("shop",),
        targets=("cafe", "desert"),
        user_ids=users.astype(str).astype(object),
        item_ids=items.astype(str).astype(object),
        entity_ids=np.array(["a", "b", "c"], dtype=object),
        entity_names=np.array(["a", "b", "c"], dtype=object),
        interacts={"shop": from_coo(known, shop_item, *n), "cafe": from_coo(train_user, train_item, *n)},
        has_entity=from_coo(items, items % 3, n_items, 3),
        entity_entity=from_coo(items[:0], items[:0], 3, 3),
        social=from_coo(items[:0], items[:0], n_users, n_users),
        catalogue={"cafe": items[10:], "desert": items[10:]},
        audience={"cafe": users, "desert": users},
        interactions={"cafe": cafe, "desert": empty},
    )
    origin = np.full(n_users, FALLBACK, np.int8)
    origin[known] = TRAINED
    encoding = Encoding(
        users=rng.normal(size=(n_users, d)).astype(np.float32),
        items=rng.normal(size=(n_items, d)).astype(np.float32),
        item_bias=rng.normal(size=n_items).astype(np.float32),
        user_origin=origin,
        item_origin=np.where(items < 10, TRAINED, KG_INFERRED).astype(np.int8),
    )
    return graph, encoding


@pytest.fixture
def platform():
    return make_platform()


@pytest.fixture(name="make_platform")
def make_platform_fixture():
    return make_platform


def over_both_graphs(graph, encoding, seed=0):
    """The encoding with its interaction half and entity profiles, as formulation `dual` makes them."""
    history = graph.interacts["shop"]
    return dataclasses.replace(
        encoding,
        interactions=encode_interactions(history, dim=4, intents=3, exemplars=5, seed=seed),
        profiles=entity_profiles(graph.has_entity, history, 3, seed),
    )


def make_dual_platform(has_entity=None, source_users=None, **sizes):
    """`make_platform` under formulation `dual`, each user with up to four source items of a taste of its own.

    Args:
        has_entity: pairs of item and entity number; three entities by default.
        source_users: users with source history, all but the cold by default.
        sizes: of `make_platform`.
    """
    graph, encoding = make_platform(**sizes)
    rng = np.random.default_rng(1)
    known = graph.interacts["shop"].degrees() > 0
    user = np.repeat(np.flatnonzero(known) if source_users is None else np.array(source_users, np.int64), 4)
    item = 5 * (user % 2) + rng.integers(0, 5, len(user))
    pair = np.unique(user * 10 + item)
    interacts = {
        **graph.interacts,
        "shop": from_coo(pair // 10, pair % 10, len(known), graph.has_entity.rows),
    }
    links = graph.has_entity
    if has_entity is not None:
        at = np.array(has_entity, np.int64).reshape(-1, 2)
        links = from_coo(at[:, 0], at[:, 1], links.rows, max(3, int(at[:, 1].max(initial=0)) + 1))
    names = np.array([f"entity {n}" for n in range(links.cols)], dtype=object)
    graph = dataclasses.replace(
        graph, interacts=interacts, has_entity=links, entity_ids=names, entity_names=names,
        entity_entity=from_coo(pair[:0], pair[:0], links.cols, links.cols),
    )  # fmt: skip
    origin = np.full(len(known), FALLBACK, np.int8)
    origin[np.unique(user)] = TRAINED
    encoding = dataclasses.replace(encoding, user_origin=origin)
    return graph, over_both_graphs(graph, encoding)


@pytest.fixture(name="make_dual_platform")
def make_dual_platform_fixture():
    return make_dual_platform


@pytest.fixture
def dual_platform():
    return make_dual_platform()
