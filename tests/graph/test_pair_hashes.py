"""Hashes of pairs: the same everywhere, and never a verdict by themselves."""

import hashlib

import ibis
import numpy as np
import pytest

from hier_dag.graph.node_hashes import node_hashes
from hier_dag.graph.pair_hashes import NodeHashes, Pairs, digest_of_hashes, in_both, joined

IDS = ["u1", "ü", "00012", "9007199254740993", "👍", "x" * 3_211, "o'; drop table users"]
MASK = (1 << 64) - 1


def pairs(*rows):
    """From (user, item, hash)."""
    user, item, hashes = zip(*rows, strict=True)
    return Pairs(np.array(user), np.array(item), np.array(hashes, np.uint64))


def finalised(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def of_id(text):
    return int.from_bytes(hashlib.md5(text.encode()).digest()[8:], "little")


def test_hashes_are_those_that_anyone_can_compute_from_the_ids():
    con = ibis.duckdb.connect()
    try:
        numbered = {"user": range(len(IDS)), "user_id": IDS}
        users = con.create_table("users", {k: list(v) for k, v in numbered.items()})
        nodes = node_hashes(users, users.select(item="user", item_id="user_id"))
    finally:
        con.disconnect()
    user, item = (grid.ravel() for grid in np.indices((len(IDS), len(IDS))))
    wanted = [
        finalised((finalised((of_id(IDS[u]) + 0x9E3779B97F4A7C15) & MASK) + of_id(IDS[i])) & MASK)
        for u, i in zip(user, item, strict=True)
    ]
    assert nodes.of(user, item).hash.tolist() == wanted
    assert len(set(wanted)) == len(IDS) ** 2  # (a, b) and (b, a) are two pairs


def test_a_pair_in_both_is_found_wherever_it_stands():
    nodes = NodeHashes(*(np.random.default_rng(s).integers(0, MASK, 50, np.uint64, True) for s in (1, 2)))
    user, item = (grid.ravel() for grid in np.indices((50, 50)))
    shuffled = np.random.default_rng(0).permutation(2_500)
    some, others = nodes.of(user, item), nodes.of(user[shuffled[:90]], item[shuffled[:90]])
    assert in_both(some, others).tolist() == np.sort(shuffled[:90]).tolist()
    assert in_both(others, some).tolist() == list(range(90))
    assert in_both(some, joined([])).tolist() == in_both(joined([]), some).tolist() == []


def test_a_collision_of_hashes_is_no_pair_in_both():
    edges = pairs((0, 1, 7), (2, 3, 8), (4, 5, 9))
    assert in_both(edges, pairs((9, 9, 7), (5, 4, 9))).tolist() == []
    assert in_both(edges, pairs((9, 9, 7), (2, 3, 8))).tolist() == [1]


def test_no_pair_hides_behind_a_collision():
    """Every hash equal: only the pairs themselves tell."""
    edges = pairs(*((u, i, 7) for u in range(6) for i in range(6)))
    held = pairs((5, 5, 7), (6, 6, 7), (0, 3, 7))
    assert in_both(edges, held).tolist() == [3, 35]


@pytest.mark.parametrize("n", [0, 1, 3])
def test_the_digest_is_of_eight_little_endian_bytes_each(n):
    hashes = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(1 << 40)
    raw = b"".join(int(h).to_bytes(8, "little") for h in hashes)
    assert digest_of_hashes(hashes) == hashlib.sha256(raw).hexdigest()
