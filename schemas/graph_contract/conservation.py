"""Edge conservation: every relation has as many entries as the table that it came from has edges."""

from __future__ import annotations

import json

from hier_dag.conservation import LEDGER, flows_of
from hier_dag.graph.knowledge_graph import TRAIN
from hier_dag.graph.link_edges import LINKS_TO_EDGES
from schemas.graph_contract.view import GraphView
from schemas.validate import Failure

_SOURCES = {"item_entity": "has_entity", "entity_entity": "entity_entity", "user_user": "social"}


def conservation(view: GraphView) -> list[Failure]:
    """Compares the stored entries of every relation with the pairs and links that became edges.

    Training pairs are counted in the splits, links in the staged ledger; an undirected edge is two entries.

    Returns:
        One failure, `edges_not_conserved`, for each relation with another number of entries; its count is
        the difference.

    Raises:
        StoreError: when the staged ledger is none.
    """
    expected = {
        f"interacts:{domain}": int((pairs.split == TRAIN).sum())
        for domain, pairs in view.graph.interactions.items()
    }
    ledger = json.loads((view.folder / LEDGER).read_bytes())
    for flow in flows_of(ledger):
        if flow.step == LINKS_TO_EDGES and flow.source in _SOURCES:
            name = _SOURCES[flow.source]
            expected[name] = flow.total_left * (2 if view.relations[name].both_ways else 1)
    found = []
    for name, edges in expected.items():
        there = view.relations[name].csr.nnz
        if there != edges:
            shown = (f"{there} entries for {edges} directed edges of its table",)
            found.append(Failure(name, None, "edges_not_conserved", abs(there - edges), shown))
    return found
