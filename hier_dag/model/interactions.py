"""The users × items graph of the sources, encoded: tastes, exemplars, intents and decision paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]

from hier_dag.graph.csr import CSR, FloatArray
from hier_dag.model.exemplar_clusters import memberships, spherical_kmeans
from hier_dag.model.intent_topics import fit_paths, fitting_users, intent_strength
from hier_dag.model.spectral import ones, spectral_vectors

_MEMBERSHIP_TEMPERATURE = 0.2
_USERS_AT_ONCE = (
    1 << 14
)  # shares of a whole platform's users in K exemplars would be the largest array there is


@dataclass(frozen=True)
class InteractionEncoding:
    """What the users × items graph of the sources says. No target interaction enters.

    Attributes:
        tastes: float32 [n_users, d], unit spectral vectors; zero without source history.
        intents: a, float32 [n_users, P], how strongly each intent drives each user; rows sum to 1
            or are zero.
        paths: φ, float32 [P, K], the open decision paths: which exemplars an intent leads to; rows sum to 1.
        items: float32 [n_items, d], unit spectral vectors; zero for items without source interaction.
        exemplars: float32 [K, d], unit centroids of the items.
    """

    tastes: FloatArray
    intents: FloatArray
    paths: FloatArray
    items: FloatArray
    exemplars: FloatArray

    def path_profiles(self) -> FloatArray:
        """ĥ_u = Σ_p a_up φ_p, float32 [n_users, K]: the exemplars that a user's intents lead to."""
        return self.intents @ self.paths

    def memberships(self) -> FloatArray:
        """e_jk, how much each source item belongs to each exemplar, float32 [n_items, K]."""
        return memberships(self.items, self.exemplars, _MEMBERSHIP_TEMPERATURE)


def encode_interactions(
    history: CSR, dim: int, intents: int, exemplars: int, seed: int, form: str = "topics"
) -> InteractionEncoding:
    """Encodes the training interactions of all sources, without gradients.

    Args:
        history: users × items, each pair once.
        dim: d of tastes and items.
        intents: P.
        exemplars: K.
        seed: seeds every start.
        form: what the paths are made of. `topics`: intents over exemplars. The others are controls with the
            same term and the same number of cells: `histories` (every exemplar its own intent: no topics),
            `user_clusters` (K clusters of users in place of exemplars: no path from a kind of item),
            `shuffled` (topics dealt to other users: no meaning).
    """
    tastes, items = spectral_vectors(history, dim, seed)
    seen = items[items.any(axis=1)]
    centroids = spherical_kmeans(seen, exemplars, seed) if len(seen) else np.zeros((1, dim), np.float32)
    a, belongs = ones(history), memberships(items, centroids, _MEMBERSHIP_TEMPERATURE)
    if form == "histories":
        strength, paths = _histories(a, belongs), np.eye(len(centroids), dtype=np.float32)
    elif form == "user_clusters":
        known = tastes[tastes.any(axis=1)]
        crowds = spherical_kmeans(known, exemplars, seed) if len(known) else centroids
        strength = memberships(tastes, crowds, _MEMBERSHIP_TEMPERATURE)
        paths = np.eye(len(crowds), dtype=np.float32)
    else:
        strength, paths = _topics(a, belongs, intents, seed)
        if form == "shuffled":
            rows = np.flatnonzero(strength.any(axis=1))
            strength[rows] = strength[np.random.default_rng(seed).permutation(rows)]
    return InteractionEncoding(tastes, strength, paths, items, centroids)


def _topics(a: sp.csr_array, belongs: FloatArray, intents: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Strengths, float32 [n, P], and paths, float32 [P, K]; users in blocks: no n × K array is made."""
    fitting = fitting_users(np.flatnonzero(a @ belongs.any(axis=1)), seed)
    paths = fit_paths(_histories(a[fitting], belongs), intents, seed)
    strength = np.empty((a.shape[0], len(paths)), np.float32)
    for start in range(0, len(strength), _USERS_AT_ONCE):
        block = slice(start, start + _USERS_AT_ONCE)
        strength[block] = intent_strength(_histories(a[block], belongs), paths)
    return strength, paths


def _histories(a: sp.csr_array, belongs: FloatArray) -> FloatArray:
    """h_uk, share of each exemplar in each user's history, float32 [n, K]; zero where no item has any."""
    mixed = a @ belongs
    return (mixed / np.maximum(mixed.sum(axis=1, keepdims=True), np.float32(1e-9))).astype(np.float32)
