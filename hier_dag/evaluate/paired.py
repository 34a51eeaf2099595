"""Paired comparison of two models over the same users: gain, interval, sign-flip permutation test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.evaluate.bootstrap import bootstrap_means, intervals
from hier_dag.graph.csr import FloatArray

_FLIPS_AT_ONCE = 1 << 22  # signs held at once: 16 MB of float32
_ROUNDING = 1e-6  # sums of float32 closer than this share of all magnitudes are the same


@dataclass(frozen=True)
class Paired:
    """Mean gain of a over b, its 95 % bootstrap interval over users, and the two-sided p-value."""

    gain: float
    low: float
    high: float
    p: float


def paired(a: NDArray[np.floating], b: NDArray[np.floating], resamples: int, seed: int) -> Paired:
    """Compares two models on the same users.

    Args:
        a: float [n], one figure a user (averaged over seeds), n >= 1.
        b: float [n], the other model's, of the same users in the same order.
        resamples: bootstrap resamples and sign flips; the smallest possible p is 1 / (resamples + 1).
        seed: seeds both.

    Raises:
        ValueError: shapes differ, or there is no user.
    """
    if a.shape != b.shape or a.ndim != 1 or len(a) == 0:
        raise ValueError(f"a and b must be of one length above 0, not {a.shape} and {b.shape}")
    gains = (a - b).astype(np.float32)[:, None]
    low, high = intervals(bootstrap_means(gains, resamples, seed))
    gain = float(gains.mean(dtype=np.float64))
    p = sign_flip_p(gains, resamples, seed)
    return Paired(gain, min(float(low[0]), gain), max(float(high[0]), gain), float(p[0]))


def sign_flip_p(gains: FloatArray, resamples: int, seed: int) -> NDArray[np.float64]:
    """Two-sided p-value of each column's mean under random flips of every user's sign, float64 [m].

    If two models were alike, each user's difference would be as likely positive as negative. p = (1 + number
    of flips whose mean is at least as far from zero as the one seen) / (1 + flips): never 0, and valid for
    any sample size (Phipson and Smyth 2010). All columns share their flips.

    Args:
        gains: float32 [n, m], a row a user, a column a comparison.
        resamples: number of flips.
        seed: seeds the flips.
    """
    n = len(gains)
    rng = np.random.default_rng(seed)
    total = gains.sum(axis=0, dtype=np.float64)
    bound = np.abs(total) - _ROUNDING * np.abs(gains).sum(axis=0, dtype=np.float64)
    beyond = np.zeros(gains.shape[1], dtype=np.int64)
    step = max(1, _FLIPS_AT_ONCE // n)
    for start in range(0, resamples, step):
        b = min(step, resamples - start)
        bytes_ = rng.integers(256, size=(b, -(-n // 8)), dtype=np.uint8)
        kept = np.unpackbits(bytes_, axis=1, count=n).astype(np.float32)
        # Σ s·g with s = ±1 is twice the sum over the kept signs less the sum of all.
        beyond += (np.abs(2.0 * (kept @ gains) - total) >= bound).sum(axis=0)
    return np.asarray((1.0 + beyond) / (1.0 + resamples), dtype=np.float64)


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down correction: p-values that hold for all comparisons together.

    Args:
        p: p-value of each comparison.

    Returns:
        Adjusted p-values, at most 1, in ascending order of p.
    """
    names = sorted(p, key=lambda name: p[name])
    adjusted = np.array([p[name] for name in names]) * np.arange(len(names), 0, -1)
    return dict(zip(names, np.minimum(np.maximum.accumulate(adjusted), 1.0).tolist(), strict=True))
