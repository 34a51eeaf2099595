"""The contract of each stage's artifact: which tables are checked against what, all failures collected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ibis.backends.duckdb import Backend

from hier_dag.graph.csr import CSR
from hier_dag.graph.files import ENTITIES as ENTITIES_FILE
from hier_dag.graph.files import ITEMS as ITEMS_FILE
from hier_dag.graph.files import USERS as USERS_FILE
from hier_dag.graph.files import splits_file
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from schemas.embeddings import EMBEDDINGS
from schemas.events import EVENTS
from schemas.links import LINK_CONTRACTS
from schemas.nodes import ENTITIES, ITEMS, USERS
from schemas.splits import SPLITS
from schemas.validate import Failure, validate


def audit_events(con: Backend, files: Sequence[Path]) -> list[Failure]:
    """Canonical events of one domain, all its files as one table."""
    if not files:
        return []
    return validate(con.read_parquet([str(f) for f in files]), EVENTS, name="events")


def audit_links(con: Backend, folder: Path) -> list[Failure]:
    """Every table of the links artifact."""
    found: list[Failure] = []
    for name, contract in LINK_CONTRACTS.items():
        found += validate(con.read_parquet(str(folder / f"{name}.parquet")), contract, name=name)
    return found


def audit_graph(con: Backend, folder: Path, graph: KnowledgeGraph) -> list[Failure]:
    """Node tables, splits, and both ends of every edge."""
    found: list[Failure] = []
    for file, contract in ((USERS_FILE, USERS), (ITEMS_FILE, ITEMS), (ENTITIES_FILE, ENTITIES)):
        found += validate(con.read_parquet(str(folder / file)), contract, name=file)
    for domain in graph.interactions:
        file = splits_file(domain)
        found += validate(con.read_parquet(str(folder / file)), SPLITS, name=file)
    ends = {
        **{f"interacts:{d}": (c, graph.n_users, graph.n_items) for d, c in graph.interacts.items()},
        "has_entity": (graph.has_entity, graph.n_items, graph.n_entities),
        "entity_entity": (graph.entity_entity, graph.n_entities, graph.n_entities),
        "social": (graph.social, graph.n_users, graph.n_users),
    }
    for relation, (csr, rows, cols) in ends.items():
        found += _dangling(relation, csr, rows, cols)
    return found


def audit_embeddings(con: Backend, folder: Path) -> list[Failure]:
    """Both vector tables of a published set."""
    found: list[Failure] = []
    for kind in ("user", "item"):
        table = con.read_parquet(str(folder / f"{kind}s.parquet")).rename(id=f"{kind}_id")
        found += validate(table.select("id", "vector", "origin"), EMBEDDINGS, name=f"{kind}s")
    return found


def _dangling(relation: str, csr: CSR, rows: int, cols: int) -> list[Failure]:
    """Edges whose end is no node, and a CSR that does not fit its own arrays."""
    found = []
    outside = (csr.indices < 0) | (csr.indices >= cols)
    if outside.any():
        sample = tuple(str(v) for v in csr.indices[outside][:5])
        found.append(Failure(relation, "indices", "dangling_edge", int(outside.sum()), sample))
    fits = csr.rows == rows and csr.indptr[-1] == csr.nnz and bool((np.diff(csr.indptr) >= 0).all())
    if not fits:
        found.append(Failure(relation, "indptr", "broken_csr", 1, ()))
    return found
