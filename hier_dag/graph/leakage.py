"""The leakage certificate: no held-out interaction of any domain is an edge, shown by disjoint sets."""

from __future__ import annotations

from typing import Any

import numpy as np

from hier_dag.errors import ContractError
from hier_dag.graph.csr import IntArray
from hier_dag.graph.knowledge_graph import TRAIN, KnowledgeGraph

_SHOWN = 5


def certify(graph: KnowledgeGraph) -> dict[str, Any]:
    """Proves that edges and held-out pairs are disjoint across all domains.

    Returns:
        Counts of edges, held-out pairs and their intersection (0), JSON-serialisable.

    Raises:
        ContractError: naming the domain and up to five pairs that leak.
    """
    held = np.unique(
        np.concatenate(
            [_codes(p.user[h], p.item[h], graph.n_items) for p in graph.interactions.values()
             for h in [p.split != TRAIN]]
        )
    )  # fmt: skip
    edges = 0
    for domain, csr in graph.interacts.items():
        codes = _codes(csr.row_of_entry(), csr.indices, graph.n_items)
        leaked = codes[np.isin(codes, held)]
        if len(leaked):
            shown = [
                (str(graph.user_ids[c // graph.n_items]), str(graph.item_ids[c % graph.n_items]))
                for c in leaked[:_SHOWN]
            ]
            raise ContractError(
                f"{len(leaked)} held-out interaction(s) are edges of the graph, such as {shown}.",
                domain=domain,
                fix="this is a fault of the build, not of the data: report it; nothing was committed",
                detail={"leaked": len(leaked), "sample": shown},
            )
        edges += len(codes)
    return {"edges": edges, "held_out_pairs": len(held), "in_both": 0}


def _codes(user: IntArray, item: IntArray, n_items: int) -> IntArray:
    return user * np.int64(n_items) + item
