"""Orthogonal Procrustes: the rotation (or reflection) that carries one set of vectors nearest to another.

P. H. Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31 (1966).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_SILENT = 1e-12
"""Singular values below this share of the largest say nothing: a direction whose amplitude on both sides is
below 1e-6 of the largest is the rounding of float32, and a cross-covariance squares it."""


def best_rotation(cross: Matrix) -> Matrix:
    """The orthogonal R that minimises ‖A R − B‖_F, from the cross-covariance AᵀB.

    R = U Vᵀ of AᵀB = U S Vᵀ. Fewer vectors than dimensions leave a subspace where every R is as good; there
    it is the one nearest to the identity, so that it hangs on no library's choice of singular vectors, and no
    ids in common turn nothing.

    Args:
        cross: float64 [d, d], AᵀB; A and B are [n, d].

    Returns:
        float64 [d, d].
    """
    d = len(cross)
    largest = np.linalg.norm(cross, ord=2) if d else 0.0
    return _polar(cross / (largest or 1.0), [np.eye(d), _generic(d)])


def _polar(cross: Matrix, references: list[Matrix]) -> Matrix:
    """The orthogonal polar factor; where `cross` is silent, that of the first reference which is not."""
    u, s, vt = np.linalg.svd(cross)
    heard = int((s > _SILENT).sum())
    if heard == len(s) or not references:
        return np.asarray(u @ vt)
    left, right = u[:, heard:], vt[heard:].T
    nearest, *others = [left.T @ reference @ right for reference in references]
    return np.asarray(u[:, :heard] @ vt[:heard] + left @ _polar(nearest, others) @ right.T)


def _generic(d: int) -> Matrix:
    # The cosine transform: orthogonal, written down, and in no subspace that vectors would lie in by design.
    at = np.arange(d)
    wave: Matrix = np.cos(np.pi * np.outer(at, at + 0.5) / d) * np.sqrt(2 / d)
    wave[0] /= np.sqrt(2)
    return wave
