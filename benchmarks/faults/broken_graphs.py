"""Graphs to break: a random sound one, small or large, written as an artifact's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend
from numpy.typing import ArrayLike, NDArray

from hier_dag.conservation import Flow, write_flows
from hier_dag.graph import files
from hier_dag.graph.csr import CSR, IntArray, from_coo
from hier_dag.graph.knowledge_graph import Interactions, KnowledgeGraph
from hier_dag.graph.link_edges import LINKS_TO_EDGES
from hier_dag.graph.relations import NodeType, relations_of
from schemas.graph_contract.view import NODE_FILES, GraphView

DOMAINS = ("shop", "cafe")


def text(values: Iterable[str]) -> NDArray[np.object_]:
    """Ids as graphs hold them."""
    return np.array(list(values), dtype=object)


def pairs(rng: np.random.Generator, rows: int, cols: int, n: int) -> tuple[IntArray, IntArray]:
    """Distinct (row, column) pairs, n of them where there are so many, ascending."""
    codes = np.sort(rng.choice(rows * cols, size=min(n, rows * cols), replace=False))
    return codes // cols, codes % cols


def both_ways(rng: np.random.Generator, nodes: int, n: int, kinds: int | None = None) -> CSR:
    """About n / 2 undirected edges, both directions of each."""
    a, b = pairs(rng, nodes, nodes, n)
    a, b = a[a < b], b[a < b]
    kind = None if kinds is None else rng.integers(0, kinds, len(a))
    return from_coo(
        np.concatenate([a, b]),
        np.concatenate([b, a]),
        nodes,
        nodes,
        kinds=None if kind is None else np.concatenate([kind, kind]),
    )


def sound_graph(
    seed: int = 0,
    users: int = 14,
    items: int = 9,
    entities: int = 7,
    interactions: int = 40,
    links: int = 25,
    triples: int = 20,
    friends: int = 60,
) -> KnowledgeGraph:
    """A random graph that keeps every rule of the contract."""
    rng = np.random.default_rng(seed)
    interacts, splits, catalogue = {}, {}, {}
    for domain in DOMAINS:
        user, item = pairs(rng, users, items, interactions)
        split = np.where(rng.random(len(user)) < 0.7, 0, rng.integers(1, 3, len(user))).astype(np.int8)
        weight = rng.uniform(0.5, 3, len(user)).astype(np.float32)
        train = split == 0
        rank = np.where(train, 1, 0).astype(np.int32)
        splits[domain] = Interactions(user, item, split, rank, rng.random(len(user)), weight)
        interacts[domain] = from_coo(user[train], item[train], users, items, weight[train])
        catalogue[domain] = np.arange(items)
    first = np.arange(items), rng.integers(0, entities, items)
    more = pairs(rng, items, entities, links)
    joined = np.unique(np.stack([np.concatenate(side) for side in zip(first, more, strict=True)]), axis=1)
    return KnowledgeGraph(
        sources=("shop",),
        targets=("cafe",),
        user_ids=text([f"u{n}" for n in range(users)]),
        item_ids=text([f"i{n}" for n in range(items)]),
        entity_ids=text([f"e{n}" for n in range(entities)]),
        entity_names=text([f"Entity {n}" for n in range(entities)]),
        interacts=interacts,
        has_entity=from_coo(*joined, items, entities),
        entity_entity=both_ways(rng, entities, triples, kinds=2),
        social=both_ways(rng, users, friends),
        catalogue=catalogue,
        audience={d: np.arange(users) for d in DOMAINS},
        interactions=splits,
        entity_relations=("below", "near"),
    )


def write_graph(graph: KnowledgeGraph, folder: Path) -> None:
    """Writes what the contract reads from an artifact's folder."""
    (folder / "nodes").mkdir(parents=True)
    (folder / "splits").mkdir()
    ids = {"user": graph.user_ids, "item": graph.item_ids, "entity": graph.entity_ids}
    names = {"item": graph.item_ids, "entity": graph.entity_names}
    for kind, file in NODE_FILES.items():
        nodes: dict[str, Any] = {kind: np.arange(len(ids[kind]))}
        nodes[f"{kind}_id"] = pa.array(ids[kind], pa.string())
        if kind in names:
            nodes["name"] = pa.array(names[kind], pa.string())
        pq.write_table(pa.table(nodes), folder / file)
    for domain, p in graph.interactions.items():
        table: dict[str, Any] = {name: getattr(p, name) for name in Interactions.__annotations__}
        table["first"] = pa.nulls(len(p.user), pa.timestamp("us", "UTC"))
        pq.write_table(pa.table(table), folder / files.splits_file(domain))
    pq.write_table(_members(graph.catalogue, "item"), folder / files.CATALOGUE)
    pq.write_table(_members(graph.audience, "user"), folder / files.AUDIENCE)
    edges = {"item_entity": graph.has_entity.nnz, "entity_entity": graph.entity_entity.nnz // 2}
    edges["user_user"] = graph.social.nnz // 2
    flows = [Flow(LINKS_TO_EDGES, "links", n, {"edges": n}, source=source) for source, n in edges.items()]
    write_flows(flows, folder)


def _members(numbers: Mapping[str, IntArray], kind: NodeType) -> pa.Table:
    """A catalogue or audience as a table, in the order of domains' names."""
    domains = sorted(numbers)
    names = np.repeat(domains, [len(numbers[d]) for d in domains])
    values = np.concatenate([numbers[d] for d in domains])
    return pa.table({"domain": pa.array(names, pa.string()), kind: pa.array(values, pa.int64())})


def with_relation(graph: KnowledgeGraph, name: str, change: Callable[[CSR], CSR]) -> KnowledgeGraph:
    """The graph with one relation's CSR changed: `change(csr)` gives the new one."""
    csr = change(relations_of(graph)[name].csr)
    if name.startswith("interacts:"):
        return replace(graph, interacts={**graph.interacts, name.partition(":")[2]: csr})
    return replace(graph, **{name: csr})


def with_edges(
    csr: CSR, rows: ArrayLike, cols: ArrayLike, *, values: float = 1.0, kinds: ArrayLike = 0, size: int = 0
) -> CSR:
    """A CSR with further entries, sorted as ours are; `size` rows where some lie beyond."""
    row, col = np.atleast_1d(np.asarray(rows)), np.atleast_1d(np.asarray(cols))
    row, col = np.broadcast_arrays(row, col)
    weight, kind = np.full(len(row), values, np.float32), np.broadcast_to(kinds, row.shape)
    return from_coo(
        np.concatenate([csr.row_of_entry(), row]),
        np.concatenate([csr.indices, col]),
        max(csr.rows, size),
        csr.cols,
        None if csr.values is None else np.concatenate([csr.values, weight]),
        None if csr.kinds is None else np.concatenate([csr.kinds, kind]),
    )


def without(csr: CSR, positions: Any) -> CSR:
    """A CSR without some of its entries."""
    keep = np.ones(csr.nnz, dtype=bool)
    keep[positions] = False
    return from_coo(
        csr.row_of_entry()[keep],
        csr.indices[keep],
        csr.rows,
        csr.cols,
        None if csr.values is None else csr.values[keep],
        None if csr.kinds is None else csr.kinds[keep],
    )


def rewrite_nodes(folder: Path, kind: NodeType, **columns: pa.Array) -> None:
    """Replaces columns of a node table."""
    file = folder / NODE_FILES[kind]
    table = pq.read_table(file)
    pq.write_table(pa.table({name: columns.get(name, table[name]) for name in table.column_names}), file)


def view_of(
    con: Backend,
    graph: KnowledgeGraph,
    folder: Path,
    change: Callable[[Path], None] = lambda _: None,
) -> GraphView:
    """The graph in a folder, its tables changed by `change(folder)`, as the contract sees it."""
    write_graph(graph, folder)
    change(folder)
    return GraphView(con, folder, graph)
