"""Spectral vectors of the users × items graph: its smoothest directions, without gradients."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]

from hier_dag.graph.csr import CSR, FloatArray
from hier_dag.model.singular import leading_directions

_SMOOTHING = 5.0  # added to degrees: without it, tiny components take whole directions for themselves
_ROUNDING = np.float32(1e-4)  # of a row's length


def spectral_vectors(history: CSR, dim: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Unit vectors of users and items on the leading singular directions of the interaction graph.

    S = (D_u + 5)^-½ A (D_i + 5)^-½ ≈ U Σ V'; item j is V_j Σ^½, user u is Σ_j∈history (D_j + 5)^-½ V_j Σ^½.
    Both are centred over the users (items) that have an interaction and normalised; others are zero. This is
    the limit that LightGCN-type propagation approaches, reached in seconds.

    Args:
        history: users × items, training interactions of all sources.
        dim: number of directions; fewer are kept where the graph has fewer.
        seed: seeds the iteration.

    Returns:
        (float32 [n_users, dim], float32 [n_items, dim]).
    """
    a = ones(history)
    d_user = np.asarray(a.sum(axis=1)).ravel()
    d_item = np.asarray(a.sum(axis=0)).ravel()
    right = 1.0 / np.sqrt(d_item + _SMOOTHING)
    scaled = sp.diags(1.0 / np.sqrt(d_user + _SMOOTHING)) @ a @ sp.diags(right)
    sigma, v = leading_directions(scaled.astype(np.float32), dim, seed)
    smooth = (v.T * np.sqrt(sigma)).astype(np.float32)
    rank = len(sigma)
    users = np.zeros((history.rows, dim), np.float32)
    items = np.zeros((history.cols, dim), np.float32)
    items[:, :rank] = _centred_unit(smooth, d_item > 0)
    users[:, :rank] = _centred_unit(a @ (smooth * right[:, None].astype(np.float32)), d_user > 0)
    return users, items


def ones(csr: CSR) -> sp.csr_array:
    """The pattern of a matrix as a scipy array of ones, float32."""
    values = np.ones(csr.nnz, np.float32)
    return sp.csr_array((values, csr.indices, csr.indptr), shape=(csr.rows, csr.cols))


def _centred_unit(x: FloatArray, known: np.ndarray) -> FloatArray:
    return departures(x, x[known].mean(axis=0), known) if known.any() else np.zeros_like(x)


def departures(x: FloatArray, mean: FloatArray, known: np.ndarray) -> FloatArray:
    """Directions in which rows depart from a mean, float32, length 1.

    A row that is not known is zero, and so is one that equals the mean up to rounding: of a row like all
    others there is nothing to tell, and a rounding error must not become a direction.

    Args:
        x: float32 [n, d].
        mean: float32 [d].
        known: bool [n].
    """
    apart = np.where(known[:, None], x - mean, np.float32(0))
    same = np.linalg.norm(apart, axis=1) <= _ROUNDING * np.linalg.norm(x, axis=1)
    apart[same] = 0
    return unit_rows(apart)


def unit_rows(x: FloatArray) -> FloatArray:
    """Rows of length 1, float32; a zero row stays zero."""
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return (x / np.where(norm > 0, norm, 1)).astype(np.float32)
