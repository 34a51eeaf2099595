"""Twin: users by the sources' user-item graph, items by their few-shot visitors; no path, no training."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]
from numpy.typing import NDArray
from scipy.sparse.linalg import svds  # type: ignore[import-untyped]

from hier_dag.evaluate.baselines.base import Evidence, register
from hier_dag.evaluate.baselines.entity_popularity import predicted_shares
from hier_dag.evaluate.baselines.matrices import few_shot_matrix, source_matrix
from hier_dag.evaluate.baselines.per_graph import once_per_graph
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph

# Chosen by benchmarks/tune_baselines.py: best of eight on held-out few-shot pairs.
DIM, PRIOR_VISITS, DAMPING = 64, 100.0, 5.0
WEIGHTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_ENTRIES = 1 << 20  # scores held at once in the choice of the weight


@register("twin")
def twin(
    evidence: Evidence,
    dim: int = DIM,
    prior_visits: float = PRIOR_VISITS,
    damping: float = DAMPING,
    weights: tuple[float, ...] = WEIGHTS,
) -> Scorer | None:
    """log(n_i + κπ_i) + β·x_u·Σ_{v∈T_i} x_v / (n_i + 2), hier.md's control without decision paths.

    β is the one of best leave-one-out NDCG on the few-shot pairs themselves: each pair is ranked with its
    user taken out of n_i and T_i. Does not exist in zero-shot. A user without source history has x_u = 0:
    smoothed popularity.

    Args:
        evidence: sources and few-shot pairs; T_i are the item's few-shot visitors, n_i their number.
        dim: leading singular vectors of the sources' matrix.
        prior_visits: κ, visits that π is worth; π is the popularity predicted by entities.
        damping: added to every degree of the sources' matrix.
        weights: candidates for β.
    """
    if evidence.zero_shot:
        return None
    graph = evidence.graph
    x = spectral_users(graph, dim, damping)[graph.audience[evidence.domain]]
    visited = few_shot_matrix(evidence)[graph.audience[evidence.domain]][:, graph.catalogue[evidence.domain]]
    prior = predicted_shares(evidence) * prior_visits
    gain = leave_one_out(x, visited, prior, weights)
    weight = max(weights, key=gain.__getitem__)
    count = np.asarray(visited.sum(axis=0), dtype=np.float64)
    item = (visited.T @ x) * (weight / (count + 2.0))[:, None]
    popularity = np.log(count + prior)

    def score(rows: IntArray) -> FloatArray:
        return np.asarray(x[rows] @ item.T + popularity, dtype=np.float32)

    return score


def leave_one_out(
    x: NDArray[np.float64], visited: sp.csr_array, prior: NDArray[np.float64], weights: tuple[float, ...]
) -> dict[float, float]:
    """Mean 1 / log2(1 + rank) of every few-shot pair without itself, for each weight β.

    Rank among the catalogue without the user's other few-shot items; a tie counts half.

    Args:
        x: float64 [n, d], user vectors.
        visited: n × m few-shot pairs, zeros and ones.
        prior: float64 [m], κπ_i.
        weights: candidates for β.
    """
    user, item = visited.tocoo().coords
    count = np.asarray(visited.sum(axis=0), dtype=np.float64)
    summed = np.asarray(visited.T @ x)
    own = np.einsum("ij,ij->i", x[user], summed[item] - x[user]) / (count[item] + 1.0)
    own_popularity = np.log(count[item] - 1.0 + prior[item])
    gain = dict.fromkeys(weights, 0.0)
    step = max(1, _ENTRIES // len(prior))
    for start in range(0, len(user), step):
        block = slice(start, start + step)
        rows = np.arange(len(user[block]))
        taste = x[user[block]] @ (summed / (count + 2.0)[:, None]).T
        hidden = visited[user[block]].toarray() > 0
        for weight in weights:
            scores = np.where(hidden, -np.inf, np.log(count + prior) + weight * taste)
            mine = own_popularity[block] + weight * own[block]
            scores[rows, item[block]] = mine
            above = (scores > mine[:, None]).sum(axis=1) + 0.5 * ((scores == mine[:, None]).sum(axis=1) - 1)
            gain[weight] += float((1.0 / np.log2(2.0 + above)).sum()) / len(user)
    return gain


@once_per_graph
def spectral_users(graph: KnowledgeGraph, dim: int, damping: float) -> NDArray[np.float64]:
    """Unit user vectors from the sources' user-item graph, float64 [n_users, r]; 0 without history.

    S = D_u^-½ A D_i^-½ ≈ U Σ Vᵀ; v_j = σ^½ V_j / √d_j; x_u = the sum of v_j over u's source items, centred
    over users with history and normalised. r is `dim` or what the matrix's smaller side allows.
    """
    source = source_matrix(graph).astype(np.float64)
    users, items = (np.asarray(source.sum(axis=axis)).ravel() for axis in (1, 0))
    history, visited = users > 0, items > 0
    rank = min(dim, int(history.sum()) - 1, int(visited.sum()) - 1)
    if rank < 1:
        return np.zeros((graph.n_users, 1))
    kept = source[history][:, visited]
    du, di = np.sqrt(users[history] + damping), np.sqrt(items[visited] + damping)
    start = np.random.default_rng(0).standard_normal(min(kept.shape))  # the solver's own start is random
    _, sigma, right = svds(sp.diags_array(1 / du) @ kept @ sp.diags_array(1 / di), k=rank, v0=start)
    summed = kept @ (right.T * np.sqrt(sigma) / di[:, None])
    summed -= summed.mean(axis=0)
    x = np.zeros((graph.n_users, rank))
    norm = np.linalg.norm(summed, axis=1, keepdims=True)
    x[history] = np.divide(summed, norm, out=np.zeros_like(summed), where=norm > 1e-12)
    return x
