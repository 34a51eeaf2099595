"""A new set beside the live one, in figures: the same space, one that can be turned back, or another?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray
from hier_dag.publish.space.overlap import top_overlap
from hier_dag.publish.space.params import SpaceParams
from hier_dag.publish.space.probes import Common, common
from hier_dag.publish.space.procrustes import Matrix, best_rotation
from hier_dag.publish.space.sides import Space

_BLOCK = 4096  # rows in float64 at once

Change = Literal["first", "same", "aligned", "breaking"]


@dataclass(frozen=True)
class SideComparison:
    """Users, or items, that both sets have; figures are None where they cannot be had.

    Attributes:
        common: how many ids both sets have.
        compared: how many of them were looked at.
        residual: ‖A − B‖_F / ‖B‖_F of new vectors A and live vectors B; None where dims differ.
        residual_aligned: the same after the rotation that suits both sides best.
        centroid_shift: distance of the centroids over the mean norm of live vectors.
        centroid_shift_aligned: the same after the rotation.
        norm_ratio: median norm of new over that of live vectors.
    """

    common: int
    compared: int
    residual: float | None
    residual_aligned: float | None
    centroid_shift: float | None
    centroid_shift_aligned: float | None
    norm_ratio: float | None


@dataclass(frozen=True)
class SpaceComparison:
    """A new set beside the live one.

    Attributes:
        dim: length of the new vectors.
        live_dim: length of the live ones.
        users: common users.
        items: common items.
        residual: r0, of both sides together, each weighing the same; None where dims differ or no id is
            common.
        residual_aligned: r1, the same after the best rotation.
        residual_held_out: r1 of every other id under the rotation that suits the rest best: what to expect of
            an id that had no say. Near r1 where far more ids are common than there are dimensions.
        scale: factor that would bring the rotated vectors nearest to the live ones; 1 where only the space
            was turned.
        overlap: share of the probes' best items that stay the best (`overlap.py`); None where no user, or
            fewer than two items, are common.
        probes: users that it was taken of.
        rotation: float64 [dim, dim], the best rotation, for `align`; None where dims differ.
    """

    dim: int
    live_dim: int
    users: SideComparison
    items: SideComparison
    residual: float | None
    residual_aligned: float | None
    residual_held_out: float | None
    scale: float | None
    overlap: float | None
    probes: int
    rotation: Matrix | None = field(repr=False, compare=False)

    def as_facts(self) -> dict[str, Any]:
        """The figures as a JSON-serialisable record."""
        return {name: value for name, value in asdict(self).items() if name != "rotation"}

    def change(self, params: SpaceParams) -> Change:
        """What the new set is to consumers of the live one.

        `same` where the vectors may be used as they are, `aligned` where a rotation brings them back,
        `breaking` where models built on the live vectors would read something else.
        """
        if self.residual is None or self.residual_aligned is None:
            return "breaking"
        if self.residual <= params.same_residual:
            return "same"
        near = self.residual_aligned <= params.aligned_residual
        if params.align and near and self.overlap is not None and self.overlap >= params.min_overlap:
            return "aligned"
        return "breaking"


def compare(new: Space, live: Space, params: SpaceParams) -> SpaceComparison:
    """Compares a new set with the live one by users and items that both have.

    Args:
        new: the new vectors.
        live: the live ones; of a file, only the rows of the sample are read.
        params: sample, probes and k.

    Raises:
        StoreError: a file of either set is not what its name says, or vectors are not finite.
    """
    users = common(new.users, live.users, params.sample)
    items = common(new.items, live.items, params.sample)
    probes = (users.new[: params.probes], users.live[: params.probes])
    dims = new.users.dim, live.users.dim
    rotation = scale = held_out = None
    if dims[0] == dims[1]:
        rotation, scale = _rotation_between((users, items), dims[0])
        held_out = _held_out((users, items), dims[0])
    sides = [_side(side, rotation) for side in (users, items)]
    return SpaceComparison(
        dim=dims[0],
        live_dim=dims[1],
        users=sides[0],
        items=sides[1],
        residual=_together([side.residual for side in sides]),
        residual_aligned=_together([side.residual_aligned for side in sides]),
        residual_held_out=held_out,
        scale=scale,
        overlap=top_overlap(probes, (items.new, items.live), params.k),
        probes=len(probes[0]),
        rotation=rotation,
    )


def _rotation_between(sides: tuple[Common, Common], dim: int) -> tuple[Matrix, float | None]:
    """The one rotation that suits users and items best, float64 [dim, dim], and the scale that would go on.

    Each side is divided by the norm of its live vectors, so that a handful of items weighs as much as
    millions of users: the score is the product of both.
    """
    cross, own = np.zeros((dim, dim)), 0.0
    for side in sides:
        weight = float(np.square(side.live, dtype=np.float64).sum())
        if weight > 0:
            cross += sum((new.T @ live for new, live in _blocks(side)), np.zeros((dim, dim))) / weight
            own += float(np.square(side.new, dtype=np.float64).sum()) / weight
    rotation = best_rotation(cross)
    return rotation, float((rotation * cross).sum() / own) if own > 0 else None


def _held_out(sides: tuple[Common, Common], dim: int) -> float | None:
    # Rows are in order of a hash, so that every other one is a draw.
    seen, unseen = (
        [Common(side.count, side.new[first::2], side.live[first::2]) for side in sides] for first in (0, 1)
    )
    rotation, _ = _rotation_between((seen[0], seen[1]), dim)
    return _together([_side(side, rotation).residual_aligned for side in unseen])


def _side(side: Common, rotation: Matrix | None) -> SideComparison:
    norms = _norms(side.new), _norms(side.live)
    if not norms[1].any():
        return SideComparison(side.count, len(side.live), None, None, None, None, None)
    median = float(np.median(norms[1]))
    ratio = float(np.median(norms[0])) / median if median > 0 else None
    if rotation is None:
        return SideComparison(side.count, len(side.live), None, None, None, None, ratio)
    before, after = _distance(side, None), _distance(side, rotation)
    return SideComparison(side.count, len(side.live), before[0], after[0], before[1], after[1], ratio)


def _norms(vectors: FloatArray) -> NDArray[np.float64]:
    # In float64: the square of a float32 may be infinite, or nothing, in float32.
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)))


def _distance(side: Common, rotation: Matrix | None) -> tuple[float, float]:
    """Relative residual, and the distance of the centroids over the mean norm of live vectors."""
    residual = total = norms = 0.0
    shift = np.zeros(side.live.shape[1])
    for new, live in _blocks(side):
        apart = (new if rotation is None else new @ rotation) - live
        residual += float(np.square(apart).sum())
        total += float(np.square(live).sum())
        norms += float(np.linalg.norm(live, axis=1).sum())
        shift += apart.sum(axis=0)
    return float(np.sqrt(residual / total)), float(np.linalg.norm(shift)) / norms


def _blocks(side: Common) -> Iterator[tuple[Matrix, Matrix]]:
    """New and live vectors of some rows at a time, in float64."""
    for at in range(0, len(side.live), _BLOCK):
        rows = slice(at, at + _BLOCK)
        yield side.new[rows].astype(np.float64), side.live[rows].astype(np.float64)


def _together(residuals: list[float | None]) -> float | None:
    known = [r for r in residuals if r is not None]
    return float(np.sqrt(np.mean(np.square(known)))) if known else None
