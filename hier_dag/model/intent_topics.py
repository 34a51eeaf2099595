"""Intents of the users × items graph: topics over exemplars, and the decision paths between them."""

from __future__ import annotations

import numpy as np

from hier_dag.graph.csr import FloatArray
from hier_dag.model.exemplar_clusters import spherical_kmeans
from hier_dag.model.spectral import unit_rows

_FIT, _INFER = 60, 30  # multiplicative updates; the likelihood moves by less than 0.1 % after these
_FIT_USERS = 8_192  # users that fit the paths: memory and time do not grow with the platform
_BLOCK = 1 << 14
_EPS = np.float32(1e-9)


def fit_paths(histories: FloatArray, intents: int, seed: int) -> FloatArray:
    """Decision paths φ, float32 [P, K], rows sum to 1: which exemplars an intent leads to.

    Maximum likelihood of h_uk ≈ Σ_p a_up φ_pk with a_u on the simplex (pLSA, i.e. non-negative factors under
    Kullback–Leibler divergence), by multiplicative updates from clusters of users. A path weaker than half of
    a uniform one is closed (φ = 0) and the rest re-normalised: few stay open.

    Args:
        histories: h, float32 [n, K], share of each exemplar in a user's history; rows sum to 1 or are zero.
        intents: P at most.
        seed: seeds the sample of users and the start.
    """
    known = np.flatnonzero(histories.any(axis=1))
    if len(known) == 0:
        return np.full((1, histories.shape[1]), 1 / histories.shape[1], np.float32)
    rng = np.random.default_rng(seed)
    sample = histories[np.sort(rng.choice(known, min(_FIT_USERS, len(known)), replace=False))]
    paths = _rows_to_one(np.maximum(spherical_kmeans(unit_rows(sample), intents, seed), 0) + np.float32(1e-3))
    strength = np.full((len(sample), len(paths)), 1 / len(paths), np.float32)
    for _ in range(_FIT):
        ratio = sample / np.maximum(strength @ paths, _EPS)
        moved = _rows_to_one(strength * (ratio @ paths.T))
        paths, strength = _rows_to_one(paths * (strength.T @ ratio)), moved
    return _rows_to_one(np.where(paths < 0.5 / paths.shape[1], np.float32(0), paths))


def intent_strength(histories: FloatArray, paths: FloatArray) -> FloatArray:
    """a_u, float32 [n, P]: how strongly each intent drives each user; rows sum to 1, zero without history.

    Args:
        histories: h, float32 [n, K].
        paths: φ, float32 [P, K].
    """
    out = np.zeros((len(histories), len(paths)), np.float32)
    for start in range(0, len(histories), _BLOCK):
        h = histories[start : start + _BLOCK]
        a = np.full((len(h), len(paths)), 1 / len(paths), np.float32)
        for _ in range(_INFER):
            a = _rows_to_one(a * ((h / np.maximum(a @ paths, _EPS)) @ paths.T))
        a[~h.any(axis=1)] = 0
        out[start : start + _BLOCK] = a
    return out


def _rows_to_one(x: FloatArray) -> FloatArray:
    return (x / np.maximum(x.sum(axis=1, keepdims=True), _EPS)).astype(np.float32)
