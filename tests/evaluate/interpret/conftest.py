"""A platform of three kinds of items, each with its own crowd and two entities; one entity is everywhere."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from hier_dag.evaluate.interpret.read import Words, read_paths
from hier_dag.graph.csr import CSR, from_coo
from hier_dag.model.interactions import InteractionEncoding, encode_interactions

KINDS, ITEMS, USERS = 3, 60, 240
ENTITIES = ("Ramen", "Miso", "Pizza", "Mozzarella", "Taco", "Salsa", "Open Late")


@dataclass(frozen=True)
class World:
    """Item j is of kind j % 3, user u of kind u % 3; entities 2k and 2k + 1 are of kind k."""

    history: CSR
    links: CSR
    encoding: InteractionEncoding
    words: Words

    def read(self, **changes):
        w = replace(self, **changes)
        return read_paths(w.encoding, w.history, w.links, w.words)


@pytest.fixture(scope="session")
def world():
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(USERS), 12)
    kind = np.where(rng.random(len(user)) < 0.95, user % KINDS, rng.integers(0, KINDS, len(user)))
    pair = np.unique(user * ITEMS + rng.integers(0, ITEMS // KINDS, len(user)) * KINDS + kind)
    history = from_coo(pair // ITEMS, pair % ITEMS, USERS, ITEMS)
    item = np.arange(ITEMS)
    held = np.concatenate([2 * (item % KINDS) + item // KINDS % 2, np.full(ITEMS, 6)])
    links = from_coo(np.tile(item, 2), held, ITEMS, len(ENTITIES))
    names = np.array([f"Item {j}" for j in item], dtype=object)
    encoding = encode_interactions(history, 8, 4, 6, 0)
    return World(history, links, encoding, Words(np.array(ENTITIES, dtype=object), names))
