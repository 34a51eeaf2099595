"""EASE: the closed-form linear item-item model, solved for the columns that score a target's items."""

from __future__ import annotations

import numpy as np
import scipy.linalg as la  # type: ignore[import-untyped]
import scipy.sparse as sp  # type: ignore[import-untyped]
from numpy.typing import NDArray

from hier_dag.evaluate.baselines.base import Evidence, register
from hier_dag.evaluate.baselines.matrices import falling_back, few_shot_matrix, source_matrix, visits
from hier_dag.evaluate.baselines.per_graph import once_per_graph
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph

# Chosen by benchmarks/tune_baselines.py: best of eight from 3 to 10,000 on held-out few-shot pairs.
# Columns of one to three visitors want that much, and B then tends to their shared visits.
RIDGE = 1e4
# Twice as many cost eight times the seconds.
FREQUENT = 4096


@register("ease")
def ease(evidence: Evidence, ridge: float = RIDGE, frequent: int = FREQUENT) -> Scorer | None:
    """Scores X_S B_ST + X_T B_TT of EASE (Steck, WWW 2019) on the columns S ∪ T.

    T are the target's items, S the most frequent source items. With G = XᵀX + λI and P = G⁻¹, EASE is
    B = I - P diag(P)⁻¹, whose target columns need only the blocks P_TT and P_ST. Their Schur complement
    reuses P_S = (X_Sᵀ X_S + λI)⁻¹ of the sources, made once a graph:
    P_TT = (G_TT - G_TS P_S G_ST)⁻¹, P_ST = -P_S G_ST P_TT. This *is* EASE where `frequent` covers all source
    items; beyond that it leaves rare ones out. Does not exist in zero-shot. No history: popularity.

    Args:
        evidence: sources and few-shot pairs.
        ridge: λ.
        frequent: most source items kept; the dense Gram matrix is frequent².
    """
    if evidence.zero_shot:
        return None
    graph = evidence.graph
    catalogue, audience = graph.catalogue[evidence.domain], graph.audience[evidence.domain]
    items, inverse = _source_inverse(graph, ridge, frequent)
    outside = ~np.isin(items, catalogue)
    if not outside.all():
        items, inverse = _without(items, inverse, outside)
    source = source_matrix(graph)
    x_s, x_t = source[:, items], (source + few_shot_matrix(evidence))[:, catalogue]
    x_t.data[:] = 1.0
    b_st, b_tt = _target_columns(x_s, x_t, inverse, ridge)
    h_s, h_t = x_s[audience], x_t[audience]

    def score(rows: IntArray) -> FloatArray:
        return np.asarray(h_s[rows] @ b_st + h_t[rows] @ b_tt, dtype=np.float32)

    known = np.diff(h_s.indptr) + np.diff(h_t.indptr) > 0
    return falling_back(score, known, visits(evidence))


@once_per_graph
def _source_inverse(graph: KnowledgeGraph, ridge: float, frequent: int) -> tuple[IntArray, FloatArray]:
    """The most frequent source items, ascending, and (X_Sᵀ X_S + λI)⁻¹, float32 [s, s]."""
    source = source_matrix(graph)
    count = np.asarray(source.sum(axis=0)).ravel()
    items = np.sort(np.argsort(-count, kind="stable")[: min(frequent, np.count_nonzero(count))])
    kept = source[:, items]
    gram = np.asarray((kept.T @ kept).toarray(), dtype=np.float32)
    gram[np.diag_indices_from(gram)] += ridge
    return items, _inverse(gram)


def _inverse(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    factor = la.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    return la.cho_solve(factor, np.eye(len(gram), dtype=gram.dtype), overwrite_b=True, check_finite=False)


def _without(items: IntArray, inverse: FloatArray, keep: NDArray[np.bool_]) -> tuple[IntArray, FloatArray]:
    """The inverse over fewer items: P_KK - P_KD P_DD⁻¹ P_DK, where D is dropped."""
    cross = inverse[np.ix_(keep, ~keep)]
    dropped = inverse[np.ix_(~keep, ~keep)]
    return items[keep], inverse[np.ix_(keep, keep)] - cross @ la.solve(dropped, cross.T, assume_a="pos")


def _target_columns(
    x_s: sp.csr_array, x_t: sp.csr_array, inverse: FloatArray, ridge: float
) -> tuple[FloatArray, FloatArray]:
    """(B_ST float32 [s, t], B_TT float32 [t, t])."""
    g_st = (x_s.T @ x_t).tocsr()
    spread = np.ascontiguousarray((g_st.T @ inverse.T).T)  # P_S G_ST, through the sparse factor
    schur = np.asarray((x_t.T @ x_t).toarray() - g_st.T @ spread, dtype=np.float32)
    schur[np.diag_indices_from(schur)] += ridge
    p_tt = _inverse(schur)
    diagonal = np.diag(p_tt).copy()
    b_tt = -p_tt / diagonal
    b_tt[np.diag_indices_from(b_tt)] = 0.0
    return spread @ (p_tt / diagonal), b_tt
