"""Bootstrap intervals over users: how far a mean would move with another draw of users."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray

_DRAWS_AT_ONCE = 1 << 22  # user draws held at once: 32 MB


def bootstrap_means(values: FloatArray, resamples: int, seed: int) -> NDArray[np.float64]:
    """Means of every column under resampling of users, float64 [resamples, m].

    A resample draws the same users for every column, so differences between columns are paired.

    Args:
        values: float32 [n, m], a row a user, n >= 1.
        resamples: number of resamples.
        seed: seeds the draws.
    """
    n = len(values)
    rng = np.random.default_rng(seed)
    out = np.empty((resamples, values.shape[1]))
    step = max(1, _DRAWS_AT_ONCE // n)
    for start in range(0, resamples, step):
        b = min(step, resamples - start)
        drawn = rng.integers(n, size=(b, n), dtype=np.int32 if n < 2**31 else np.int64)
        flat = drawn + np.arange(b, dtype=np.int64)[:, None] * n
        counts = np.bincount(flat.ravel(), minlength=b * n).reshape(b, n)
        out[start : start + b] = counts.astype(np.float32) @ values / n
    return out


def intervals(
    means: NDArray[np.float64], level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile interval of each column of `bootstrap_means`: (low, high), float64 [m] each."""
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail], axis=0)
    return low, high
