"""Entity-predicted popularity: how much users of the sources visit items with an item's entities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hier_dag.evaluate.baselines.base import Evidence, register
from hier_dag.evaluate.baselines.matrices import indicators, same_for_everyone, visits
from hier_dag.evaluate.baselines.per_graph import once_per_graph
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.knowledge_graph import KnowledgeGraph

# Chosen by benchmarks/tune_baselines.py: best of eight on sources that play the target, and on
# held-out few-shot pairs (where κ from 30 to 100 changes nothing).
SMOOTHING = 0.3
PRIOR_VISITS = 30.0


@register("entity_popularity")
def entity_popularity(
    evidence: Evidence, smoothing: float = SMOOTHING, prior_visits: float = PRIOR_VISITS
) -> Scorer:
    """log(n_i + κπ_i): few-shot counts, smoothed by the popularity that an item's entities predict.

    In zero-shot all n_i are 0, and the prediction alone orders the catalogue.

    Args:
        evidence: sources, item-entity links and few-shot pairs.
        smoothing: source items' worth of doubt about an entity.
        prior_visits: κ, visits that the prediction is worth.
    """
    return same_for_everyone(smoothed_log_popularity(evidence, smoothing, prior_visits))


def smoothed_log_popularity(
    evidence: Evidence, smoothing: float = SMOOTHING, prior_visits: float = PRIOR_VISITS
) -> NDArray[np.float64]:
    """log(n_i + κπ_i), float64 [catalogue], with π the predicted shares of the catalogue's visits."""
    return np.log(visits(evidence) + prior_visits * predicted_shares(evidence, smoothing))


def predicted_shares(evidence: Evidence, smoothing: float = SMOOTHING) -> NDArray[np.float64]:
    """π, float64 [catalogue]: predicted popularity, summing to 1 over the target's catalogue."""
    relative = predicted_popularity(evidence.graph, smoothing)[evidence.graph.catalogue[evidence.domain]]
    return relative / relative.sum()


@once_per_graph
def predicted_popularity(graph: KnowledgeGraph, smoothing: float) -> NDArray[np.float64]:
    """Expected visits of every item relative to its domain's mean, float64 [n_items], above 0.

    A source item's relative popularity is its visits over the mean of its domain's visited items, so that
    large and small sources weigh alike. An entity's mean over the n_c source items that carry it is drawn
    towards 1: μ_c = (Σ relative + s) / (n_c + s). An item expects the geometric mean of its entities' μ_c;
    1 without entities.

    Args:
        graph: the sources' interactions and the item-entity links are read.
        smoothing: s.
    """
    entities = indicators(graph.has_entity).astype(np.float64)
    total, carriers = np.zeros(graph.n_entities), np.zeros(graph.n_entities)
    for source in graph.sources:
        count = np.bincount(graph.interacts[source].indices, minlength=graph.n_items)
        seen = count > 0
        total += entities.T @ (count / max(1.0, count[seen].mean() if seen.any() else 1.0))
        carriers += entities.T @ seen.astype(np.float64)
    log_mean = np.log(np.maximum((total + smoothing) / (carriers + smoothing), 1e-9))
    return np.exp(entities @ log_mean / np.maximum(1, graph.has_entity.degrees()))
