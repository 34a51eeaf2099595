"""Sets for the tests of writing: random vectors, ids in any order, a few pairs."""

import numpy as np

from hier_dag.graph.knowledge_graph import Interactions
from hier_dag.publish.files import WriteNotes, write_set
from hier_dag.publish.params import IndexParams
from hier_dag.transfer.vectors import DomainVectors


def texts(values):
    return np.array([*values, None], dtype=object)[:-1]


def pairs(user=(), item=()):
    n = len(user)
    return Interactions(
        user=np.array(user, np.int64), item=np.array(item, np.int64), split=np.zeros(n, np.int8),
        shot_rank=np.zeros(n, np.int32), share_rank=np.zeros(n), weight=np.ones(n, np.float32),
    )  # fmt: skip


def vectors(n_users, n_items, dim=8, seed=0):
    """Of differing length, as those of items are."""
    rng = np.random.default_rng(seed)
    users = rng.normal(size=(n_users, dim)).astype(np.float32)
    items = rng.normal(size=(n_items, dim)) * rng.lognormal(0, 0.5, size=(n_items, 1))
    return DomainVectors(
        users=np.arange(n_users), user_vectors=users, user_origin=(np.arange(n_users) % 3).astype(np.int8),
        items=np.arange(n_items), item_vectors=items.astype(np.float32),
        item_origin=(np.arange(n_items) % 2).astype(np.int8), method="closed_form",
    )  # fmt: skip


def write(out, made, user_ids=None, item_ids=None, seen=None, params=None, **about):
    """A set in a folder: its facts and notes."""
    user_ids = texts(f"u{i:06}" for i in made.users) if user_ids is None else user_ids
    item_ids = texts(f"i{i:06}" for i in made.items) if item_ids is None else item_ids
    names = texts(f"name of {i}" for i in item_ids)
    out.mkdir(exist_ok=True)
    notes = WriteNotes()
    facts = write_set(
        out, made, user_ids, item_ids, names, seen or pairs(), about, params or IndexParams(), notes
    )
    return facts, notes
