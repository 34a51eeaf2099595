"""Which users and items two sets are compared by: those that both have, the same ones every time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from hier_dag.errors import StoreError
from hier_dag.graph.csr import FloatArray
from hier_dag.publish.space.sides import Side


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
    shared, new_rows, live_rows = np.intersect1d(new.hashes(), live.hashes(), return_indices=True)
    order_new, order_live = np.argsort(new_rows[:sample]), np.argsort(live_rows[:sample])
    new_ids, new_vectors = new.take(new_rows[:sample][order_new])
    live_ids, live_vectors = live.take(live_rows[:sample][order_live])
    back_new, back_live = np.argsort(order_new), np.argsort(order_live)
    same = pc.equal(new_ids.take(back_new), live_ids.take(back_live)).to_numpy(zero_copy_only=False)
    _must_be_finite(new, new_vectors)
    _must_be_finite(live, live_vectors)
    return Common(
        len(shared) - int((~same).sum()), new_vectors[back_new][same], live_vectors[back_live][same]
    )


def _must_be_finite(side: Side, vectors: FloatArray) -> None:
    unsound = int((~np.isfinite(vectors)).any(axis=1).sum())
    if unsound:
        raise StoreError(
            f"{unsound:,} of {len(vectors):,} vectors that are compared hold numbers that are not finite",
            file=side.source,
            column="vector",
            fix="restore the file from a copy or a backup, or train the model anew",
        )
