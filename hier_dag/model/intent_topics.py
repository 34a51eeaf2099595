"""Intents of the users × items graph: topics over exemplars, and the decision paths between them."""

from __future__ import annotations

import numpy as np

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.model.exemplar_clusters import spherical_kmeans
from hier_dag.model.spectral import unit_rows

_FIT, _INFER = 60, 30  # multiplicative updates; the likelihood moves by less than 0.1 % after these
_FIT_USERS = 8_192
_EPS = np.float32(1e-9)


def fitting_users(known: IntArray, seed: int) -> IntArray:
    """The users that fit the paths, ascending: at most 8,192, so that time does not grow with the platform.

    Args:
        known: int64 [n], users with history.
        seed: draws them where there are more.
    """
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(known, min(_FIT_USERS, len(known)), replace=False))


def fit_paths(histories: FloatArray, intents: int, seed: int) -> FloatArray:
    """Decision paths φ, float32 [P, K], rows sum to 1: which exemplars an intent leads to.

    Maximum likelihood of h_uk ≈ Σ_p a_up φ_pk with a_u on the simplex (pLSA, i.e. non-negative factors under
    Kullback–Leibler divergence), by multiplicative updates from clusters of users. A path weaker than half of
    a uniform one is closed (φ = 0) and the rest re-normalised: few stay open.

    Args:
        histories: h, float32 [n, K], share of each exemplar in a user's history; rows sum to 1 or are zero.
        intents: P at most.
        seed: seeds the start.
    """
    h = histories[histories.any(axis=1)]
    if len(h) == 0:
        return np.full((1, h.shape[1]), 1 / h.shape[1], np.float32)
    paths = _rows_to_one(np.maximum(spherical_kmeans(unit_rows(h), intents, seed), 0) + np.float32(1e-3))
    strength = np.full((len(h), len(paths)), 1 / len(paths), np.float32)
    for _ in range(_FIT):
        ratio = h / np.maximum(strength @ paths, _EPS)
        moved = _rows_to_one(strength * (ratio @ paths.T))
        paths, strength = _rows_to_one(paths * (strength.T @ ratio)), moved
    return _rows_to_one(np.where(paths < 0.5 / paths.shape[1], np.float32(0), paths))


def intent_strength(histories: FloatArray, paths: FloatArray) -> FloatArray:
    """a_u, float32 [n, P]: how strongly each intent drives each user; rows sum to 1.

    A user without history, or whose history no open path reaches, has zeros.

    Args:
        histories: h, float32 [n, K].
        paths: φ, float32 [P, K].
    """
    a = np.full((len(histories), len(paths)), 1 / len(paths), np.float32)
    for _ in range(_INFER):
        a = _rows_to_one(a * ((histories / np.maximum(a @ paths, _EPS)) @ paths.T))
    return a


def _rows_to_one(x: FloatArray) -> FloatArray:
    return (x / np.maximum(x.sum(axis=1, keepdims=True), _EPS)).astype(np.float32)
