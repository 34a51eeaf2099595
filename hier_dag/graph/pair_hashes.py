"""Hashes of (user, item) pairs, made of the original ids: the same in every artifact, process and version.

A pair's hash is splitmix64's finaliser over splitmix64(h_user) + h_item, where h is the last eight bytes of
the id's MD5 (UTF-8), little endian. Nodes are hashed once, in the engine (`node_hashes.py`); pairs here, as
arrays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import IntArray

Hashes = NDArray[np.uint64]

HASH = {"name": "md5-splitmix64", "version": 1}
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


@dataclass(frozen=True)
class Pairs:
    """Some (user, item) pairs with their hashes.

    Attributes:
        user: int64 [n] dense user number.
        item: int64 [n] dense item number.
        hash: uint64 [n]; equal pairs have equal hashes, the converse is all but certain.
    """

    user: IntArray
    item: IntArray
    hash: Hashes

    def __len__(self) -> int:
        return len(self.hash)

    @cached_property
    def ordered(self) -> Hashes:
        """The hashes in ascending order, uint64 [n]."""
        return np.sort(self.hash)

    def take(self, at: NDArray[np.bool_] | IntArray) -> Pairs:
        """Some of them."""
        return Pairs(self.user[at], self.item[at], self.hash[at])


@dataclass(frozen=True)
class NodeHashes:
    """Hashes of a graph's ids by dense number: users uint64 [n_users], items uint64 [n_items]."""

    users: Hashes
    items: Hashes

    @cached_property
    def _users_mixed(self) -> Hashes:
        return _finalised(self.users + _GAMMA)

    def of(self, user: IntArray, item: IntArray) -> Pairs:
        """Pairs of dense numbers, int64 [n] each, with their hashes."""
        return Pairs(user, item, _finalised(self._users_mixed[user] + self.items[item]))


def joined(parts: Iterable[Pairs]) -> Pairs:
    """All pairs of several lots, in order."""
    lots = [Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint64)), *parts]
    return Pairs(*(np.concatenate([getattr(p, name) for p in lots]) for name in ("user", "item", "hash")))


def in_both(some: Pairs, others: Pairs) -> IntArray:
    """Positions in `some` of the pairs that are among `others` too, int64, ascending.

    Hashes are compared; where any agree the pairs themselves are, so that a collision is no hit.
    """
    shared = distinct(_shared(some.ordered, others.ordered))
    if not len(shared):
        return np.zeros(0, np.int64)
    mine = np.flatnonzero(np.isin(some.hash, shared))
    theirs = others.take(np.isin(others.hash, shared))
    columns = int(max(some.item.max(), others.item.max())) + 1
    same = np.isin(some.user[mine] * columns + some.item[mine], theirs.user * columns + theirs.item)
    return mine[same]


def shares(some: Hashes, others: Hashes) -> bool:
    """Whether two ascending lists of hashes have one in common."""
    return bool(len(_shared(some, others)))


def _shared(some: Hashes, others: Hashes) -> Hashes:
    """Hashes of the shorter of two ascending lists that are in the longer."""
    few, many = sorted((some, others), key=len)
    if not len(few):
        return few
    at = np.minimum(np.searchsorted(many, few), len(many) - 1)
    return few[many[at] == few]


def distinct(ascending: Hashes) -> Hashes:
    """Ascending hashes, each once."""
    if not len(ascending):
        return ascending
    return ascending[np.concatenate([[True], ascending[1:] != ascending[:-1]])]


def digest_of_hashes(ascending: Hashes) -> str:
    """SHA-256 over ascending hashes as eight bytes each, little endian, in hex."""
    return hashlib.sha256(np.ascontiguousarray(ascending, dtype="<u8").data).hexdigest()


def _finalised(x: Hashes) -> Hashes:
    """splitmix64's finaliser, in place."""
    shifted = np.empty_like(x)
    for shift, factor in _STEPS:
        np.right_shift(x, np.uint64(shift), out=shifted)
        x ^= shifted
        x *= np.uint64(factor)
    np.right_shift(x, np.uint64(31), out=shifted)
    x ^= shifted
    return x
