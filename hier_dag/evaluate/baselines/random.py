"""Random order: every item ties, and ranking breaks ties at random."""

from __future__ import annotations

import numpy as np

from hier_dag.evaluate.baselines.base import Evidence, register
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import FloatArray, IntArray


@register("random")
def random(evidence: Evidence) -> Scorer:
    """Scores every item 0, so that the seeded tie breaking alone orders the catalogue."""
    n_items = len(evidence.graph.catalogue[evidence.domain])

    def score(rows: IntArray) -> FloatArray:
        return np.zeros((len(rows), n_items), dtype=np.float32)

    return score
