"""A new set beside the live one, in figures: the same space, one that can be turned back, or another?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from hier_dag.publish.space.overlap import top_overlap
from hier_dag.publish.space.params import SpaceParams
from hier_dag.publish.space.probes import Common, common
from hier_dag.publish.space.procrustes import Matrix, best_rotation
from hier_dag.publish.space.sides import Space

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
        scale: factor that would bring the rotated vectors nearest to the live ones; 1 where only the space
            was turned.
        overlap: share of the probes' best items that stay the best (`overlap.py`); None where no user, or
            fewer than two items, are common.
        probes: users that it was taken of.
    """

    dim: int
    live_dim: int
    users: SideComparison
    items: SideComparison
    residual: float | None
    residual_aligned: float | None
    scale: float | None
    overlap: float | None
    probes: int

    def as_facts(self) -> dict[str, Any]:
        """The figures as a JSON-serialisable record."""
        return asdict(self)

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
        StoreError: a file of either set is not what its name says.
    """
    users = common(new.users, live.users, params.sample)
    items = common(new.items, live.items, params.sample)
    probes = (users.new[: params.probes], users.live[: params.probes])
    dims = new.users.dim, live.users.dim
    rotation = scale = None
    if dims[0] == dims[1]:
        rotation, scale = rotation_between((users, items), dims[0])
    sides = [_side(side, rotation) for side in (users, items)]
    return SpaceComparison(
        dim=dims[0],
        live_dim=dims[1],
        users=sides[0],
        items=sides[1],
        residual=_together([side.residual for side in sides]),
        residual_aligned=_together([side.residual_aligned for side in sides]),
        scale=scale,
        overlap=top_overlap(probes, (items.new, items.live), params.k),
        probes=len(probes[0]),
    )


def rotation_between(sides: tuple[Common, Common], dim: int) -> tuple[Matrix, float | None]:
    """The one rotation that suits users and items best, float64 [dim, dim], and the scale that would go on.

    Each side is divided by the norm of its live vectors, so that a handful of items weighs as much as
    millions of users: the score is the product of both.
    """
    cross, own = np.zeros((dim, dim)), 0.0
    for side in sides:
        new, live = side.new.astype(np.float64), side.live.astype(np.float64)
        weight = np.square(live).sum()
        if weight > 0:
            cross += new.T @ live / weight
            own += np.square(new).sum() / weight
    rotation = best_rotation(cross)
    return rotation, float((rotation * cross).sum() / own) if own > 0 else None


def _side(side: Common, rotation: Matrix | None) -> SideComparison:
    new, live = side.new.astype(np.float64), side.live.astype(np.float64)
    norms = np.linalg.norm(new, axis=1), np.linalg.norm(live, axis=1)
    if not norms[1].any():
        return SideComparison(side.count, len(live), None, None, None, None, None)
    median = float(np.median(norms[1]))
    ratio = float(np.median(norms[0])) / median if median > 0 else None
    if rotation is None:
        return SideComparison(side.count, len(live), None, None, None, None, ratio)
    before, after = _distance(new, live, norms[1]), _distance(new @ rotation, live, norms[1])
    return SideComparison(side.count, len(live), before[0], after[0], before[1], after[1], ratio)


def _distance(new: Matrix, live: Matrix, norms: Matrix) -> tuple[float, float]:
    """Relative residual, and the centroids' distance over the mean norm."""
    residual = np.linalg.norm(new - live) / np.linalg.norm(live)
    centroids = np.linalg.norm(new.mean(axis=0) - live.mean(axis=0)) / norms.mean()
    return float(residual), float(centroids)


def _together(residuals: list[float | None]) -> float | None:
    known = [r for r in residuals if r is not None]
    return float(np.sqrt(np.mean(np.square(known)))) if known else None
