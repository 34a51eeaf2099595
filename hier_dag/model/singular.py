"""Leading singular directions of a sparse matrix: the same bits whenever, however degenerate the matrix."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]
from numpy.typing import NDArray
from scipy.linalg import svd  # type: ignore[import-untyped]
from scipy.sparse.linalg import LinearOperator, eigsh  # type: ignore[import-untyped]

from hier_dag.graph.csr import FloatArray

_LEAST = 1e-4  # of the largest singular value: float32 products cannot tell smaller ones from zero


def leading_directions(matrix: sp.csr_array, rank: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """The largest singular values σ and their right vectors V; fewer where the matrix has fewer.

    Lanczos iterations on the Gram matrix of the shorter side, as `scipy.sparse.linalg.svds` makes them. That
    function leaves the restarts of the iteration unseeded, so that matrices of low rank, or of many equal
    blocks, come out differently every time, and it stops at a matrix of zeros. A side that is not longer than
    `rank` is decomposed whole.

    Args:
        matrix: float32 [n, m].
        rank: directions at most.
        seed: seeds the iteration's start and restarts.

    Returns:
        (σ float32 [r], descending; V float32 [r, m], orthonormal rows, the largest entry of each positive).
    """
    side = min(matrix.shape)
    if rank < 1 or side == 0 or not matrix.data.any():
        return np.zeros(0, np.float32), np.zeros((0, matrix.shape[1]), np.float32)
    tall = matrix.shape[0] >= matrix.shape[1]
    a = matrix if tall else matrix.T
    basis = _lanczos(a, rank, seed) if rank < side else np.eye(side, dtype=np.float32)
    left, sigma, right = svd(a @ basis, full_matrices=False)
    # From the smallest on, as svds multiplies: the same rounding, hence the same bits.
    v = (right[::-1] @ basis.T)[::-1] if tall else left.T
    kept = sigma > _LEAST * sigma[0]
    sigma, v = sigma[kept], v[kept]
    sign = np.sign(v[np.arange(len(v)), np.abs(v).argmax(axis=1)])
    return sigma.astype(np.float32), (v * sign[:, None]).astype(np.float32)


def _lanczos(a: sp.csr_array, rank: int, seed: int) -> NDArray[np.float32]:
    """An orthonormal basis of the leading eigenvectors of A'A, float32 [m, rank]."""
    side = a.shape[1]
    rng = np.random.default_rng(seed)
    start = rng.standard_normal(side).astype(np.float32)
    gram = LinearOperator((side, side), matvec=lambda x: a.T @ (a @ x), dtype=np.float32)
    _, vectors = eigsh(gram, k=rank, v0=start, rng=rng)
    return np.asarray(np.linalg.qr(vectors)[0], dtype=np.float32)
