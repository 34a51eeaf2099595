"""Untrained entity profile: how alike an item's entities are to those of a user's history."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]

from hier_dag.evaluate.baselines.base import Evidence, register
from hier_dag.evaluate.baselines.matrices import indicators, observed_matrix
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import FloatArray, IntArray


@register("entity_profile")
def entity_profile(evidence: Evidence) -> Scorer:
    """Cosine between a user's mean entity vector and an item's entity vector.

    Entity vectors are tf-idf-weighted indicators, idf = log(items / items with the entity) over the whole
    platform; of the usual weightings this textbook one made the strongest baseline on real logs. History
    is the training interactions of the source domains, and in few-shot the user's few-shot training
    items too. A user without history scores every item alike.
    Rows stay sparse until scores are made: memory is that of one block of scores.
    """
    graph = evidence.graph
    entities = indicators(graph.has_entity).astype(np.float64)
    frequency = np.maximum(np.asarray(entities.sum(axis=0)).ravel(), 1.0)
    weighted = (entities @ sp.diags(np.log(max(1, graph.n_items) / frequency))).tocsr()
    audience = graph.audience[evidence.domain]
    profiles = _unit_rows((observed_matrix(evidence)[audience] @ weighted).tocsr())
    items = _unit_rows(weighted[graph.catalogue[evidence.domain]]).T.tocsr()

    def score(rows: IntArray) -> FloatArray:
        return np.asarray((profiles[rows] @ items).toarray(), dtype=np.float32)

    return score


def _unit_rows(rows: sp.csr_array) -> sp.csr_array:
    norm = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return (sp.diags(1.0 / np.where(norm > 0, norm, 1.0)) @ rows).tocsr()
