"""The conservation ledger of pre-training: every edge of every source."""

from __future__ import annotations

from hier_dag.conservation import Flow
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.train.pretrained import Pretrained


def training_flows(graph: KnowledgeGraph, pretrained: Pretrained) -> list[Flow]:
    """What became of the sources' edges in training.

    Args:
        graph: what the encoder was to be trained on.
        pretrained: the encoder.
    """
    flows = []
    for used in pretrained.used:
        if used.name in graph.sources:
            edges = graph.interacts[used.name].nnz
            flows.append(
                Flow("edges → training pairs", "pairs", edges, {"trained": len(used.user)}, {}, used.name)
            )
    return flows
