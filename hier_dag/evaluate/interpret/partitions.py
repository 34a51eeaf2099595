"""How alike two partitions of the same things are: NMI, ARI and the best matching of their classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

Labels = NDArray[np.int64]


def contingency(a: Labels, b: Labels) -> NDArray[np.int64]:
    """n_xy, int64 [max a + 1, max b + 1]: how many things are x in one partition and y in the other.

    Args:
        a: int64 [n], labels from 0 on.
        b: int64 [n].
    """
    rows, columns = int(a.max(initial=-1)) + 1, int(b.max(initial=-1)) + 1
    return np.bincount(a * columns + b, minlength=rows * columns).reshape(rows, columns)


def normalised_mutual_information(a: Labels, b: Labels) -> float:
    """NMI = 2·I(a; b)/(H(a) + H(b)) (arithmetic mean), in [0, 1]; 1 where both have one class."""
    counts = contingency(a, b)
    own, other = _entropy(counts.sum(axis=1)), _entropy(counts.sum(axis=0))
    if own + other == 0:
        return 1.0
    return max(0.0, 2 * (own + other - _entropy(counts.ravel())) / (own + other))


def adjusted_rand_index(a: Labels, b: Labels) -> float:
    """ARI (Hubert & Arabie 1985): 0 by chance, 1 where the partitions are equal."""
    counts = contingency(a, b)
    together, own, other = (_pairs(x) for x in (counts.ravel(), counts.sum(axis=1), counts.sum(axis=0)))
    expected = own * other / _pairs(np.array([len(a)])) if len(a) > 1 else 0.0
    most = (own + other) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def best_matching(counts: NDArray[np.int64]) -> dict[int, int]:
    """Class of the first partition to class of the second, one to one, so that most things agree.

    Args:
        counts: int64 [x, y], `contingency`.
    """
    row, column = linear_sum_assignment(counts, maximize=True)
    return {int(x): int(y) for x, y in zip(row, column, strict=True) if counts[x, y]}


def _entropy(counts: NDArray[np.int64]) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def _pairs(counts: NDArray[np.int64]) -> float:
    n = counts.astype(np.float64)
    return float((n * (n - 1) / 2).sum())
