"""How far two histograms over the same bins lie apart: the one pair of measures that every drift check uses.

Both take counts, so that an earlier version is compared by what was stored with it and its rows are never
read again.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

SMOOTHING = 0.5
"""Pseudo-count that `psi` adds to every bin (Jeffreys' prior): an empty bin counts as half an observation, so
that a value seen for the first time gives a finite figure, which grows with the share that it takes."""


def psi(before: ArrayLike, after: ArrayLike) -> float:
    """Population stability index: Σ (p - q) · ln(p / q) over bins, with smoothed shares p and q.

    A bin that is empty on both sides is left out before smoothing, so that unused bins change nothing.
    Usual reading: below 0.1 the same, above 0.25 another distribution; see `psi_by_chance` for few rows.

    Args:
        before: counts [bins] of the earlier version, not negative.
        after: counts [bins] now.

    Returns:
        A number from 0, symmetric in its arguments; infinite where exactly one side has no rows at all,
        0 where neither has.

    Raises:
        ValueError: when the two have different bins, or a count is negative or not finite.
    """
    p, q = _counts(before, after)
    if p.sum() == 0 or q.sum() == 0:
        return 0.0 if p.sum() == q.sum() else math.inf
    used = (p + q) > 0
    p, q = p[used] + SMOOTHING, q[used] + SMOOTHING
    p, q = p / p.sum(), q / q.sum()
    return float(((p - q) * np.log(p / q)).sum())


def psi_by_chance(before: ArrayLike, after: ArrayLike) -> float:
    """The PSI that two draws of these sizes from one distribution show on average: (bins - 1)(1/n + 1/m).

    Args:
        before: counts [bins], as for `psi`.
        after: counts [bins].

    Returns:
        A number from 0 over the bins that either side uses; 0 where a side has no rows.

    Raises:
        ValueError: as `psi`.
    """
    p, q = _counts(before, after)
    n, m = float(p.sum()), float(q.sum())
    if n == 0 or m == 0:
        return 0.0
    return (int(((p + q) > 0).sum()) - 1) * (1 / n + 1 / m)


def ks(before: ArrayLike, after: ArrayLike) -> float:
    """Kolmogorov-Smirnov statistic over ordered bins: the largest distance of the cumulative shares.

    Taken at the bins' edges, so at most the statistic of the values themselves, and equal to it where every
    bin holds one value.

    Args:
        before: counts [bins] of the earlier version, in the order of the values.
        after: counts [bins] now.

    Returns:
        A number in [0, 1]; 1 where exactly one side has no rows, 0 where neither has.

    Raises:
        ValueError: as `psi`.
    """
    p, q = _counts(before, after)
    if p.sum() == 0 or q.sum() == 0:
        return 0.0 if p.sum() == q.sum() else 1.0
    return float(np.abs(np.cumsum(p) / p.sum() - np.cumsum(q) / q.sum()).max())


def _counts(before: ArrayLike, after: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    p, q = (np.asarray(side, dtype=np.float64) for side in (before, after))
    if p.shape != q.shape or p.ndim != 1:
        raise ValueError(f"histograms over different bins: shapes {p.shape} and {q.shape}")
    for side in (p, q):
        if not (np.isfinite(side).all() and (side >= 0).all()):
            raise ValueError("counts of a histogram are finite and not negative")
    return p, q
