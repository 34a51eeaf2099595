"""Which users and items two sets are compared by: those that both have, the same ones every time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from hier_dag.errors import StoreError
from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.graph.pair_hashes import Hashes
from hier_dag.publish.space.sides import Side

_PART = 1 << 20  # hashes looked up at once


@dataclass(frozen=True)
class Common:
    """Vectors of ids that two sets have in common, by ascending hash of the id.

    Attributes:
        count: how many ids both have.
        new: float32 [n, d], n = min(count, sample).
        live: float32 [n, d_live], of the same ids.
    """

    count: int
    new: FloatArray
    live: FloatArray


def common(new: Side, live: Side, sample: int) -> Common:
    """The common ids of lowest hash: a draw that is uniform, and that other ids coming or going leave alone.

    Ids are matched by 64-bit hashes, eight bytes an id whatever the ids' length, and those that are drawn
    byte by byte, so that a collision (one in 10⁵ for ten million ids) compares nobody with somebody else.

    Args:
        new: a side of the new set.
        live: the same side of the live one.
        sample: how many at most.

    Raises:
        StoreError: vectors that are compared are not finite.
    """
    count, (new_rows, live_rows) = _lowest_shared(new.hashes(), live.hashes(), sample)
    order_new, order_live = np.argsort(new_rows), np.argsort(live_rows)
    new_ids, new_vectors = new.take(new_rows[order_new])
    live_ids, live_vectors = live.take(live_rows[order_live])
    back_new, back_live = np.argsort(order_new), np.argsort(order_live)
    same = pc.equal(new_ids.take(back_new), live_ids.take(back_live)).to_numpy(zero_copy_only=False)
    _must_be_finite(new, new_vectors)
    _must_be_finite(live, live_vectors)
    return Common(count - int((~same).sum()), new_vectors[back_new][same], live_vectors[back_live][same])


def _lowest_shared(new: Hashes, live: Hashes, sample: int) -> tuple[int, list[IntArray]]:
    """How many distinct hashes both have; and by side the first row of each of the lowest, lowest first."""
    ours, theirs = _distinct(new), _distinct(live)
    # In parts, so that no whole side is held once more; numpy's own set functions hold it five times.
    parts = np.array_split(ours, len(ours) // _PART + 1)
    shared = np.concatenate([part[_among(part, theirs)] for part in parts])
    return len(shared), [_first_rows(side, shared[:sample]) for side in (new, live)]


def _distinct(hashes: Hashes) -> Hashes:
    # Not np.unique, which takes ten million numbers through a hash table in as many seconds.
    ordered = np.sort(hashes)
    first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered if first.all() else ordered[first]


def _among(some: Hashes, ordered: Hashes) -> NDArray[np.bool_]:
    at = np.searchsorted(ordered, some)
    there = at < len(ordered)
    there[there] = ordered[at[there]] == some[there]
    return there


def _first_rows(hashes: Hashes, wanted: Hashes) -> IntArray:
    """First row of each of some hashes that occur, ascending."""
    if not len(wanted):
        return np.empty(0, np.int64)
    rows = np.flatnonzero(hashes <= wanted[-1])
    values, first = np.unique(hashes[rows], return_index=True)
    return rows[first[np.searchsorted(values, wanted)]]


def _must_be_finite(side: Side, vectors: FloatArray) -> None:
    unsound = int((~np.isfinite(vectors)).any(axis=1).sum())
    if unsound:
        raise StoreError(
            f"{unsound:,} of {len(vectors):,} vectors that are compared hold numbers that are not finite",
            file=side.source,
            column="vector",
            fix="restore the file from a copy or a backup, or train the model anew",
        )
