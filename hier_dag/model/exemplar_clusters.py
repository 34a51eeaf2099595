"""Exemplars of the users × items graph: what stands for a kind of item."""

from __future__ import annotations

import numpy as np

from hier_dag.graph.csr import FloatArray
from hier_dag.model.spectral import unit_rows

_ITERATIONS = 15
_BLOCK = 1 << 15


def spherical_kmeans(x: FloatArray, k: int, seed: int) -> FloatArray:
    """Unit centroids of unit vectors, float32 [min(k, n), d]; an empty cluster restarts at a random row.

    Args:
        x: float32 [n, d], unit rows, n ≥ 1.
        k: number of clusters.
        seed: seeds start and restarts.
    """
    rng = np.random.default_rng(seed)
    k = min(k, len(x))
    centroids = x[rng.choice(len(x), k, replace=False)]
    for _ in range(_ITERATIONS):
        nearest = nearest_centroid(x, centroids)
        order = np.argsort(nearest, kind="stable")
        count = np.bincount(nearest, minlength=k)
        sums = np.zeros_like(centroids)
        filled = np.flatnonzero(count)
        sums[filled] = np.add.reduceat(x[order], (np.cumsum(count) - count)[filled], axis=0)
        centroids = unit_rows(sums)
        lost = ~centroids.any(axis=1)
        centroids[lost] = x[rng.choice(len(x), int(lost.sum()))]
    return centroids


def nearest_centroid(x: FloatArray, centroids: FloatArray) -> np.ndarray:
    """Number of the most similar centroid of each row, int64 [n]; in blocks."""
    parts = [(x[s : s + _BLOCK] @ centroids.T).argmax(axis=1) for s in range(0, len(x), _BLOCK)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def memberships(x: FloatArray, centroids: FloatArray, temperature: float) -> FloatArray:
    """e_jk = softmax_k(x_j·m_k/τ), float32 [n, K]; a zero row belongs to nothing.

    Args:
        x: float32 [n, d], unit or zero rows.
        centroids: M, float32 [K, d].
        temperature: τ.
    """
    out = np.empty((len(x), len(centroids)), np.float32)
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK]
        scores = block @ centroids.T / np.float32(temperature)
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        scores[~block.any(axis=1)] = 0
        out[start : start + _BLOCK] = scores
    return out
