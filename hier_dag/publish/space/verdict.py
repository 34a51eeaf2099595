"""What a new set is to the space that is live, and the rotation that brings it back there."""

from __future__ import annotations

from dataclasses import dataclass

from hier_dag.publish.space.comparison import Change, compare
from hier_dag.publish.space.params import SpaceParams
from hier_dag.publish.space.procrustes import Matrix
from hier_dag.publish.space.sides import Space


@dataclass(frozen=True)
class Verdict:
    """How a new set is to be published.

    Attributes:
        change: `first`, `same`, `aligned` or `breaking`.
        rotation: float64 [dim, dim] for `align`, where the change is `aligned`.
    """

    change: Change
    rotation: Matrix | None = None


def judge(new: Space, anchor: Space | None, params: SpaceParams) -> Verdict:
    """Judges a new set by the anchor, the set that began the space it is to go on with.

    By the set before it, a space could walk away in steps that are each small enough; and turning every
    version to the anchor keeps small errors from adding up.

    Args:
        new: the new vectors, as transfer made them.
        anchor: the set that began the space; None where nothing is live.
        params: bounds, and whether a set may be turned.

    Raises:
        StoreError: a file of the anchor is not what its name says, or vectors are not finite.
    """
    if anchor is None:
        return Verdict("first")
    found = compare(new, anchor, params)
    change = found.change(params)
    return Verdict(change, found.rotation if change == "aligned" else None)
