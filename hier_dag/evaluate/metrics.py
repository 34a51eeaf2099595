"""Ranking metrics of each user, from the ranks of that user's test items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hier_dag.graph.csr import FloatArray, IntArray


@dataclass(frozen=True, order=True)
class Metric:
    """One metric: its name (`hr`, `ndcg`, `recall`, `mrr`) and cutoff K (0: no cutoff)."""

    name: str
    k: int


def declared_metrics(cutoffs: tuple[int, ...]) -> tuple[Metric, ...]:
    """The metrics reported for these cutoffs, in the order of `user_metrics`' columns."""
    return (*(Metric(name, k) for k in cutoffs for name in ("hr", "ndcg", "recall")), Metric("mrr", 0))


def user_metrics(ranks: IntArray, indptr: IntArray, cutoffs: tuple[int, ...]) -> FloatArray:
    """Metrics of every user, float32 [n, len(declared_metrics(cutoffs))].

    HR@K: 1 if any test item is in the top K. NDCG@K: discounted gain over that of the ideal list, whose
    min(|test|, K) first places are test items. Recall@K: share of the test items in the top K. MRR:
    reciprocal rank of the best test item. (hier.md, "Protocol used".)

    Args:
        ranks: int64 [nnz], 1-based ranks of test items, user after user.
        indptr: int64 [n + 1], start of each user in `ranks`; every user has at least one.
        cutoffs: values of K.
    """
    starts, tests = indptr[:-1], np.diff(indptr)
    if len(tests) == 0:
        return np.zeros((0, 3 * len(cutoffs) + 1), dtype=np.float32)
    gain = 1.0 / np.log2(1.0 + ranks)
    columns = []
    for k in cutoffs:
        hits = np.add.reduceat((ranks <= k).astype(np.int64), starts)
        gained = np.add.reduceat(np.where(ranks <= k, gain, 0.0), starts)
        ideal = np.cumsum(1.0 / np.log2(np.arange(2, k + 2)))[np.minimum(tests, k) - 1]
        columns += [hits > 0, gained / ideal, hits / tests]
    columns.append(1.0 / np.minimum.reduceat(ranks, starts))
    return np.stack(columns, axis=1).astype(np.float32)
