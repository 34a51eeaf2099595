"""Builds the knowledge graph artifact's files from validated events and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from hier_dag.config.models import PlatformConfig
from hier_dag.conservation import Flow, write_flows
from hier_dag.graph import files
from hier_dag.graph.csr import CSR, from_coo
from hier_dag.graph.knowledge_graph import TRAIN, KnowledgeGraph
from hier_dag.graph.leakage import certify
from hier_dag.graph.link_edges import LINKS_TO_EDGES
from hier_dag.graph.node_hashes import node_hashes
from hier_dag.graph.pairs import COLUMNS, PAIRS_TO_SPLIT
from hier_dag.graph.splits import global_cut
from hier_dag.graph.tables import GraphTables, graph_tables


def build_graph(
    con: Backend,
    config: PlatformConfig,
    events: Mapping[str, Sequence[Path]],
    links: Path,
    out: Path,
) -> KnowledgeGraph:
    """Writes a knowledge graph: node tables, splits, edges, ledger and leakage certificate.

    Args:
        con: engine connection for the tables in between.
        config: the platform; every declared domain must be a key of `events`.
        events: canonical event files of each domain.
        links: folder of the links artifact.
        out: staged folder to write into.

    Returns:
        The graph as it reads back from the files.

    Raises:
        ContractError: when an edge is held out by a domain or began after the cut, or a row went missing.
    """
    tables = graph_tables(con, config, events, links)
    _write_tables(tables, out)
    n_users, n_items, n_entities = (_count(t) for t in (tables.users, tables.items, tables.entities))
    relations: dict[str, CSR] = {}
    for domain in config.domains:
        relations[f"interacts:{domain}"] = _interacts(tables.pairs[domain], n_users, n_items)
    relations["has_entity"] = _relation(tables.item_entity, "item", "entity", n_items, n_entities)
    relations["entity_entity"] = _both_ways(tables.entity_entity, "head", "tail", n_entities)
    relations["social"] = _both_ways(tables.social, "user", "other", n_users)
    files.save_edges(out, relations)
    graph = files.load_graph(out, config.source_names, config.target_names)
    first = {domain: files.first_times(out, domain) for domain in config.domains}
    cut = global_cut(map(config.split_of, config.domains))
    certify(graph, node_hashes(tables.users, tables.items), first, cut).write(out)
    write_flows([*tables.flows, *_edge_flows(tables, graph)], out)
    return graph


def _edge_flows(tables: GraphTables, graph: KnowledgeGraph) -> list[Flow]:
    """The last steps: training pairs and links against the arrays that are stored."""
    flows = [
        Flow(
            "training pairs → edges",
            "pairs",
            flow.left["training"],
            {"edges": graph.interacts[flow.domain].nnz},
            {},
            flow.domain,
        )
        for flow in tables.flows
        if flow.step == PAIRS_TO_SPLIT and flow.domain is not None
    ]
    # An undirected edge is stored in both directions.
    stored = {"item_entity": (graph.has_entity, 1), "entity_entity": (graph.entity_entity, 2)}
    stored["user_user"] = (graph.social, 2)
    for flow in tables.flows:
        if flow.step == LINKS_TO_EDGES and flow.source is not None:
            csr, directions = stored[flow.source]
            entered = directions * flow.total_left
            flows.append(
                Flow("edges → arrays", "directed edges", entered, {"stored": csr.nnz}, source=flow.source)
            )
    return flows


def _write_tables(tables: GraphTables, out: Path) -> None:
    named = {
        files.USERS: tables.users.select("user", "user_id"),
        files.ITEMS: tables.items.select("item", "item_id", "name"),
        files.ENTITIES: tables.entities.select("entity", "entity_id", "name"),
        files.CATALOGUE: tables.catalogue.select("domain", "item"),
        files.AUDIENCE: tables.audience.select("domain", "user"),
        files.RELATIONS: tables.relations.select("kind", "relation"),
    }
    for domain, pairs in tables.pairs.items():
        named[files.splits_file(domain)] = pairs.select(*COLUMNS)
    for name, table in named.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        ordered = table.order_by(table.columns[:2])
        pq.write_table(ordered.to_pyarrow(), out / name, compression="zstd")


def _count(table: ibis.Table) -> int:
    return int(table.count().to_pyarrow().as_py())


def _columns(table: ibis.Table, *names: str) -> list[Any]:
    arrow = table.select(*names).to_pyarrow()
    return [arrow[name].to_numpy() for name in names]


def _interacts(pairs: ibis.Table, n_users: int, n_items: int) -> CSR:
    user, item, weight = _columns(pairs.filter(pairs.split == TRAIN), "user", "item", "weight")
    return from_coo(user, item, n_users, n_items, values=weight)


def _relation(table: ibis.Table, row: str, col: str, rows: int, cols: int) -> CSR:
    row_numbers, col_numbers = _columns(table, row, col)
    return from_coo(row_numbers, col_numbers, rows, cols)


def _both_ways(table: ibis.Table, a: str, b: str, n: int) -> CSR:
    """An undirected relation as a CSR that holds both directions of every edge."""
    if "kind" in table.columns:
        left, right, kind = _columns(table, a, b, "kind")
        kinds = np.concatenate([kind, kind]).astype(np.int64)
    else:
        (left, right), kinds = _columns(table, a, b), None
    return from_coo(np.concatenate([left, right]), np.concatenate([right, left]), n, n, kinds=kinds)
