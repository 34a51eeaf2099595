"""What enters the graph is what its parents let out: their ledgers against the graph's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hier_dag.conservation import LEDGER, Flow, agree, flows_of
from hier_dag.graph.link_edges import LINKS_TO_EDGES
from hier_dag.graph.pairs import EVENTS_TO_PAIRS
from hier_dag.graph.tables import CATALOGUE_TO_ITEMS, NAMES_TO_NODES
from hier_dag.ingest.links import KINDS
from hier_dag.pipeline.stages import EVENTS, GRAPH, LINKS
from hier_dag.store import Artifact

_STEPS = (LINKS_TO_EDGES, NAMES_TO_NODES, CATALOGUE_TO_ITEMS)
"""Steps that read a table of raw/links; `source` of their flows is its name."""


def check_entered(staged: Path, events: Mapping[str, Artifact], links: Artifact) -> None:
    """Compares the rows that the parents' ledgers let out with those that the graph counted in.

    Args:
        staged: the graph's staged folder with its ledger.
        events: the raw/events artifact of each domain.
        links: the raw/links artifact.

    Raises:
        ContractError: naming the domain or table and both counts.
    """
    flows = flows_of(json.loads((staged / LEDGER).read_bytes()))
    out: dict[str | None, int] = {
        domain: sum(flow.total_left for flow in _flows(artifact)) for domain, artifact in events.items()
    }
    agree([f for f in flows if f.step == EVENTS_TO_PAIRS], out, f"{EVENTS} → {GRAPH}")
    given: dict[str, dict[str | None, int]] = {table: {} for table in KINDS}
    for flow in _flows(links):
        for table, rows in flow.left.items():
            given[table][flow.domain] = given[table].get(flow.domain, 0) + rows
    for table, rows_out in given.items():
        read = [f for f in flows if f.step in _STEPS and f.source == table]
        agree(read, rows_out, f"{LINKS} ({table}) → {GRAPH}")


def _flows(artifact: Artifact) -> list[Flow]:
    return flows_of(artifact.json(LEDGER), str(artifact.file(LEDGER)))
