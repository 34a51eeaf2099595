"""Entity profile and entity-predicted popularity, mixed: taste and popularity, both from links alone."""

from __future__ import annotations

import numpy as np

from hier_dag.evaluate.baselines.base import Evidence, register
from hier_dag.evaluate.baselines.entity_popularity import smoothed_log_popularity
from hier_dag.evaluate.baselines.entity_profile import entity_profile
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import FloatArray, IntArray

# Chosen by benchmarks/tune_baselines.py: best of eight on sources that play the target.
WEIGHT = 0.6


@register("entity_mix")
def entity_mix(evidence: Evidence, weight: float = WEIGHT) -> Scorer | None:
    """w·z(profile cosine) + (1 - w)·z(log popularity), each standardised over the catalogue.

    Exists in zero-shot alone: few-shot counts beat the profile so far that no fixed mix helps.

    Args:
        evidence: sources and item-entity links.
        weight: w in [0, 1].
    """
    if not evidence.zero_shot:
        return None
    profile = entity_profile(evidence)
    popularity = (1.0 - weight) * standardised(smoothed_log_popularity(evidence)[None].astype(np.float32))

    def score(rows: IntArray) -> FloatArray:
        return weight * standardised(profile(rows)) + popularity

    return score


def standardised(scores: FloatArray) -> FloatArray:
    """Each row less its mean, over its deviation; a constant row gives 0. float32, same shape."""
    if scores.size == 0:
        return scores
    centred = scores - scores.mean(axis=1, keepdims=True, dtype=np.float64)
    deviation = np.sqrt(np.square(centred).mean(axis=1, keepdims=True))
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9).astype(
        np.float32
    )
