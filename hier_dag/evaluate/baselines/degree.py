"""KG degree: how well an item is connected in the knowledge graph, the same for every user."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hier_dag.evaluate.baselines.base import Evidence, register
from hier_dag.evaluate.baselines.matrices import indicators, same_for_everyone
from hier_dag.evaluate.baselines.per_graph import once_per_graph
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.knowledge_graph import KnowledgeGraph


@register("kg_degree")
def kg_degree(evidence: Evidence) -> Scorer | None:
    """Two-hop degree of the item: Σ over its entities of the items that carry them.

    Reads no interaction, so it exists in zero-shot alone, as a proxy of popularity.
    """
    if not evidence.zero_shot:
        return None
    return same_for_everyone(two_hop_degree(evidence.graph)[evidence.graph.catalogue[evidence.domain]])


@once_per_graph
def two_hop_degree(graph: KnowledgeGraph) -> NDArray[np.float64]:
    """Paths item - entity - item from every item, float64 [n_items]."""
    entities = indicators(graph.has_entity).astype(np.float64)
    return np.asarray(entities @ (entities.T @ np.ones(graph.n_items)), dtype=np.float64)
