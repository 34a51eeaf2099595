"""itemKNN: a user's history votes for the items whose visitors it shares."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]
from numpy.typing import NDArray

from hier_dag.evaluate.baselines.base import Evidence, register
from hier_dag.evaluate.baselines.matrices import falling_back, observed_matrix, visits
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import FloatArray, IntArray

# Chosen by benchmarks/tune_baselines.py: the highest of eight on held-out few-shot pairs but for one within
# 0.1 %; beyond 300 nothing moves.
SHRINKAGE = 300.0


@register("item_knn")
def item_knn(evidence: Evidence, shrinkage: float = SHRINKAGE) -> Scorer | None:
    """Sum of shrunk cosines s_ij = |U_i ∩ U_j| / (√(|U_i| |U_j|) + h) over the items i of a user's history.

    History and visitors are the sources' training interactions and the few-shot pairs. Not scored in
    zero-shot, where an item that no source shares has no visitor. A user without history gets popularity.

    Args:
        evidence: sources and few-shot pairs.
        shrinkage: h, visitors' worth of doubt.
    """
    if evidence.zero_shot:
        return None
    observed = observed_matrix(evidence)
    history = observed[evidence.graph.audience[evidence.domain]]
    similar = shrunk_cosine(observed, evidence.graph.catalogue[evidence.domain], shrinkage)

    def score(rows: IntArray) -> FloatArray:
        return np.asarray((history[rows] @ similar).toarray(), dtype=np.float32)

    return falling_back(score, np.diff(history.indptr) > 0, visits(evidence))


def shrunk_cosine(observed: sp.csr_array, columns: IntArray, shrinkage: float) -> sp.csr_array:
    """Shrunk cosines between all items and some, sparse float32 [n_items, m]; 0 between an item and itself.

    Args:
        observed: users × items of zeros and ones.
        columns: int64 [m], items.
        shrinkage: h.
    """
    shared = (observed.T @ observed[:, columns]).tocoo()
    visitors = np.asarray(observed.sum(axis=0)).ravel()
    i, j = shared.coords
    value: NDArray[np.float32] = shared.data / (np.sqrt(visitors[i] * visitors[columns[j]]) + shrinkage)
    value[i == columns[j]] = 0.0
    return sp.csr_array((value, (i, j)), shape=shared.shape)
