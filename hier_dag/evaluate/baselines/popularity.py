"""Popularity: the few-shot training count of an item, the same for every user."""

from __future__ import annotations

import numpy as np

from hier_dag.evaluate.baselines.base import Evidence, register
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import FloatArray, IntArray


@register("popularity")
def popularity(evidence: Evidence) -> Scorer | None:
    """Counts of the target's few-shot training pairs; does not exist in zero-shot. Ties are random."""
    if evidence.zero_shot:
        return None
    catalogue = evidence.graph.catalogue[evidence.domain]
    counts = np.bincount(np.searchsorted(catalogue, evidence.item), minlength=len(catalogue)).astype(
        np.float32
    )

    def score(rows: IntArray) -> FloatArray:
        return np.repeat(counts[None, :], len(rows), axis=0)

    return score
