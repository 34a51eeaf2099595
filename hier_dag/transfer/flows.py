"""The conservation ledger of a transfer: every training pair, user and item of the target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hier_dag.conservation import Flow
from hier_dag.graph.knowledge_graph import TRAIN, KnowledgeGraph
from hier_dag.model.encoding import ORIGINS
from hier_dag.transfer.transfer import Transferred

PAIRS_TO_SHOTS = "training pairs → shots"
AUDIENCE_TO_VECTORS = "audience → vectors"
CATALOGUE_TO_VECTORS = "catalogue → vectors"


def transfer_flows(graph: KnowledgeGraph, result: Transferred) -> list[Flow]:
    """What became of the target's training pairs, audience and catalogue in the published vectors.

    Args:
        graph: the graph that was transferred on.
        result: the transfer.
    """
    domain, vectors = result.domain, result.published
    pairs = int((graph.interactions[domain].split == TRAIN).sum())
    unused = {} if pairs == result.pairs_used else {f"beyond_{result.shots}_shots": pairs - result.pairs_used}
    users, items = _origins(vectors.user_origin), _origins(vectors.item_origin)
    return [
        Flow(PAIRS_TO_SHOTS, "pairs", pairs, {"used": result.pairs_used}, unused, domain),
        Flow(AUDIENCE_TO_VECTORS, "users", len(graph.audience[domain]), users, domain=domain),
        Flow(CATALOGUE_TO_VECTORS, "items", len(graph.catalogue[domain]), items, domain=domain),
    ]


def _origins(origin: NDArray[np.int8]) -> dict[str, int]:
    counts = np.bincount(origin, minlength=len(ORIGINS))
    return {name: int(n) for name, n in zip(ORIGINS, counts, strict=True) if n}
