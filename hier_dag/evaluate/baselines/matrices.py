"""Interaction matrices that baselines share: users × items, from sources and few-shot pairs alone."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]
from numpy.typing import NDArray

from hier_dag.evaluate.baselines.base import Evidence
from hier_dag.evaluate.baselines.per_graph import once_per_graph
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import CSR, FloatArray, IntArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph


def indicators(rows: CSR) -> sp.csr_array:
    """Float32 copy of a CSR's pattern, every entry 1."""
    ones = np.ones(rows.nnz, dtype=np.float32)
    return sp.csr_array((ones, rows.indices, rows.indptr), shape=(rows.rows, rows.cols))


@once_per_graph
def source_matrix(graph: KnowledgeGraph) -> sp.csr_array:
    """Training interactions of all sources, float32 users × items of zeros and ones."""
    total = sp.csr_array((graph.n_users, graph.n_items), dtype=np.float32)
    for source in graph.sources:
        total = total + indicators(graph.interacts[source])
    return _binary(total)


def few_shot_matrix(evidence: Evidence) -> sp.csr_array:
    """The target's few-shot pairs, float32 users × items of zeros and ones."""
    ones = np.ones(len(evidence.user), dtype=np.float32)
    shape = (evidence.graph.n_users, evidence.graph.n_items)
    return _binary(sp.csr_array((ones, (evidence.user, evidence.item)), shape=shape))


def observed_matrix(evidence: Evidence) -> sp.csr_array:
    """Source and few-shot interactions together, float32 users × items of zeros and ones."""
    return _binary(source_matrix(evidence.graph) + few_shot_matrix(evidence))


def visits(evidence: Evidence) -> NDArray[np.float64]:
    """n_i, float64 [catalogue]: few-shot visitors of each item of the target."""
    catalogue = evidence.graph.catalogue[evidence.domain]
    return np.asarray(few_shot_matrix(evidence)[:, catalogue].sum(axis=0), dtype=np.float64)


def same_for_everyone(scores: NDArray[np.float64]) -> Scorer:
    """A scorer that gives every user the same scores, float64 [catalogue]."""
    common = scores.astype(np.float32)

    def score(rows: IntArray) -> FloatArray:
        return np.repeat(common[None, :], len(rows), axis=0)

    return score


def falling_back(score: Scorer, known: NDArray[np.bool_], fallback: NDArray[np.float64]) -> Scorer:
    """A scorer whose users without any history get one common order instead.

    Args:
        score: the scorer of everyone else.
        known: bool [audience], users that the baseline knows something about.
        fallback: float64 [catalogue], scores of the others.
    """
    common = fallback.astype(np.float32)

    def score_or_fall_back(rows: IntArray) -> FloatArray:
        scores = score(rows)
        unknown = ~known[rows]
        if unknown.any():
            scores[unknown] = common
        return scores

    return score_or_fall_back


def _binary(matrix: sp.csr_array) -> sp.csr_array:
    matrix = matrix.tocsr()
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix
