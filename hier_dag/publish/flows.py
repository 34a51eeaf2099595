"""The conservation ledger of a published set: what its files hold against the vectors they were made of."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from hier_dag.conservation import Flow
from hier_dag.graph.knowledge_graph import Interactions
from hier_dag.publish.files import ITEMS, SEEN, USERS
from hier_dag.transfer.vectors import DomainVectors


def publish_flows(folder: Path, domain: str, vectors: DomainVectors, pairs: Interactions) -> list[Flow]:
    """Vectors and seen pairs against the rows of the written files, counted in their footers.

    Args:
        folder: the staged set.
        domain: the target.
        vectors: what was to be written.
        pairs: the domain's interactions.
    """

    def rows(file: str) -> dict[str, int]:
        return {file: pq.read_metadata(folder / file).num_rows}

    return [
        Flow("vectors → published set", "users", len(vectors.users), rows(USERS), {}, domain),
        Flow("vectors → published set", "items", len(vectors.items), rows(ITEMS), {}, domain),
        Flow("interactions → seen", "pairs", len(pairs.user), rows(SEEN), {}, domain),
    ]
