"""The terms of the few-shot score, each with its leave-one-out form: exact, but for what `paths` says of n.

π is the encoder's and holds no few-shot pair: nothing of it is left out.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray
from hier_dag.model.spectral import unit_rows
from hier_dag.transfer.shots import Shots
from hier_dag.transfer.term import Term

_SHRINK = 2.0  # visitors' mean is over n_i + 2: an item of one visitor is a third of the way from nobody
_PATH_PRIOR = 1.0  # weight, in visitors, of overall popularity in each exemplar's own
_FAINT = 1e-3  # of a unit profile


def popularity(shots: Shots, log_prior: NDArray[np.float64], kappa: float, n_users: int) -> Term:
    """log(n_i + κπ_i): few-shot counts smoothed by predicted popularity (hier.md, eq. g).

    Args:
        shots: few-shot pairs.
        log_prior: log π, float64 [m].
        kappa: κ, in interactions.
        n_users: n.
    """
    counts, prior = shots.counts(), kappa * np.exp(log_prior)
    bias = np.log(counts + prior).astype(np.float32)
    own = np.log(counts[shots.item] - 1 + prior[shots.item]).astype(np.float32)
    return Term("popularity", np.ones((n_users, 1), np.float32), bias[:, None], own)


def visitors(name: str, x: FloatArray, shots: Shots) -> Term:
    """x_u · Σ_{v∈T_i} x_v / (n_i + 2): how like the item's few-shot visitors a user is.

    Args:
        name: of the term.
        x: float32 [n, d], rows of length 1 or 0.
        shots: few-shot pairs; T_i are the visitors of item i.
    """
    counts = shots.counts().astype(np.float32)
    visits = _sums(x, shots)
    own_user, count = x[shots.user], counts[shots.item]
    without = (own_user * visits[shots.item]).sum(axis=1) - np.square(own_user).sum(axis=1)
    return Term(name, x, visits / (counts + _SHRINK)[:, None], without / (count - 1 + _SHRINK))


def paths(profiles: FloatArray, shots: Shots, log_prior: NDArray[np.float64], kappa: float) -> Term:
    """Σ_k ĥ_uk log θ_ki/Π_i: popularity along the decision paths, over popularity at large.

    θ_ki = (N_ki + Π_i)/(N_k + 1) is the share of item i among the few-shot visits that exemplar k leads to,
    N_ki = Σ_{v∈T_i} ĥ_vk; Π_i = (n_i + κπ_i)/(n + κ). Intents carry it: ĥ_u = Σ_p a_up φ_p.

    Left out are the pair's visit in N_ki and n_i, exactly. N_k stays: less the visit it adds the same to
    every item of the user and moves no rank. n stays too, which moves a score by at most
    log((n + κ)/(n + κ − 1)), a hundredth for κ = 100.

    Args:
        profiles: ĥ, float32 [n, K]; rows sum to 1, zero without source history.
        shots: few-shot pairs.
        log_prior: log π, float64 [m].
        kappa: κ of Π.
    """
    counts, prior = shots.counts(), kappa * np.exp(log_prior)
    total = len(shots.item) + kappa
    overall = ((counts + prior) / total).astype(np.float32)
    visits = _sums(profiles, shots)
    reached = visits.sum(axis=0) + _PATH_PRIOR
    strength = np.log((visits + _PATH_PRIOR * overall[:, None]) / (reached * overall[:, None]))
    own_user = profiles[shots.user]
    without = ((counts - 1 + prior)[shots.item] / total).astype(np.float32)[:, None]
    left = np.maximum(visits[shots.item] - own_user, 0) + _PATH_PRIOR * without
    own = (own_user * np.log(left / (reached * without))).sum(axis=1)
    return Term("paths", profiles, strength.astype(np.float32), own.astype(np.float32))


def content(q: FloatArray, z: FloatArray, bias: FloatArray, log_prior: NDArray[np.float64]) -> Term:
    """lift(u, i) = log softmax_i s0(u, i) − log π_i, less the user's normaliser (hier.md, eq. f).

    Args:
        q: float32 [n, d].
        z: float32 [m, d].
        bias: float32 [m].
        log_prior: log π, float64 [m].
    """
    one = np.ones((len(q), 1), np.float32)
    offset = (bias - log_prior).astype(np.float32)
    return Term("content", np.hstack([q, one]), np.hstack([z, offset[:, None]]))


def profile(users: FloatArray, items: FloatArray) -> Term:
    """Cosine of the entity profiles of a user's source history and of the item.

    Args:
        users: float32 [n, e], unit rows or zero.
        items: float32 [m, e], unit rows or zero.
    """
    return Term("profile", users, items)


def own_profile(items: FloatArray, shots: Shots, n_users: int) -> Term:
    """Cosine of the entity profiles of a user's few-shot items and of the item; the pair's own left out.

    Args:
        items: float32 [m, e], unit rows or zero.
        shots: few-shot pairs.
        n_users: n.
    """
    held = sp.csr_array(
        (np.ones(len(shots.user), np.float32), (shots.user, shots.item)), shape=(n_users, shots.n_items)
    )
    sums = np.asarray(held @ items, dtype=np.float32)
    without = sums[shots.user] - items[shots.item]
    return Term("own_profile", _directions(sums), items, users_without=_directions(without))


def _directions(sums: FloatArray) -> FloatArray:
    # What the profiles' dimensions do not hold, and what is left of a user's only pair, are rounding errors.
    return unit_rows(np.where(np.linalg.norm(sums, axis=1, keepdims=True) > _FAINT, sums, np.float32(0)))


def _sums(x: FloatArray, shots: Shots) -> FloatArray:
    """Σ_{v∈T_i} x_v, float32 [m, d]."""
    visited = sp.csr_array(
        (np.ones(len(shots.user), np.float32), (shots.item, shots.user)), shape=(shots.n_items, len(x))
    )
    return np.asarray(visited @ x, dtype=np.float32)
