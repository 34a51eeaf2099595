"""itemKNN next to popularity: what a user's history votes for, among what everybody visits."""

from __future__ import annotations

import numpy as np

from hier_dag.evaluate.baselines.base import Evidence, register
from hier_dag.evaluate.baselines.item_knn import SHRINKAGE, item_knn
from hier_dag.evaluate.baselines.matrices import visits
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import FloatArray, IntArray

# Chosen by benchmarks/tune_baselines.py: best of eight on held-out few-shot pairs.
WEIGHT = 2.0


@register("item_knn_popularity")
def item_knn_popularity(
    evidence: Evidence, shrinkage: float = SHRINKAGE, weight: float = WEIGHT
) -> Scorer | None:
    """log(1 + n_i) + w·s(u, i) / s̄(u), itemKNN's score over its mean among the items it votes for.

    Does not exist in zero-shot. A user without history gets popularity.

    Args:
        evidence: sources and few-shot pairs.
        shrinkage: itemKNN's h.
        weight: w.
    """
    knn = item_knn(evidence, shrinkage)
    if knn is None:
        return None
    popularity = np.log1p(visits(evidence)).astype(np.float32)

    def score(rows: IntArray) -> FloatArray:
        votes = knn(rows)
        voted = np.count_nonzero(votes, axis=1)[:, None]
        mean = np.divide(
            votes.sum(axis=1, keepdims=True), voted, out=np.ones_like(votes[:, :1]), where=voted > 0
        )
        return popularity + np.float32(weight) * votes / mean

    return score
