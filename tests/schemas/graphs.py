"""Graphs to break: a random sound one, small or large, written as an artifact's folder."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hier_dag.conservation import Flow, write_flows
from hier_dag.graph import files
from hier_dag.graph.csr import from_coo
from hier_dag.graph.knowledge_graph import Interactions, KnowledgeGraph
from hier_dag.graph.link_edges import LINKS_TO_EDGES
from hier_dag.graph.relations import relations_of
from schemas.graph_contract.view import GraphView

DOMAINS = ("shop", "cafe")


def text(values):
    return np.array(values, dtype=object)


def pairs(rng, rows, cols, n):
    """n distinct (row, column) pairs, ascending."""
    codes = np.sort(rng.choice(rows * cols, size=min(n, rows * cols), replace=False))
    return codes // cols, codes % cols


def both_ways(rng, nodes, n, kinds=None):
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


def sound_graph(seed=0, users=14, items=9, entities=7, interactions=40, links=25, triples=20, friends=60):
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


def write_graph(graph, folder):
    """Writes what the contract reads from an artifact's folder."""
    (folder / "nodes").mkdir(parents=True)
    (folder / "splits").mkdir()
    columns = {"user": graph.user_ids, "item": graph.item_ids, "entity": graph.entity_ids}
    names = {"item": graph.item_ids, "entity": graph.entity_names}
    for kind, file in (("user", files.USERS), ("item", files.ITEMS), ("entity", files.ENTITIES)):
        table = {kind: np.arange(len(columns[kind])), f"{kind}_id": pa.array(columns[kind], pa.string())}
        if kind in names:
            table["name"] = pa.array(names[kind], pa.string())
        pq.write_table(pa.table(table), folder / file)
    for domain, p in graph.interactions.items():
        table = {name: getattr(p, name) for name in Interactions.__annotations__}
        table["first"] = pa.nulls(len(p.user), pa.timestamp("us", "UTC"))
        pq.write_table(pa.table(table), folder / files.splits_file(domain))
    listed = [(d, int(i)) for d, items in graph.catalogue.items() for i in items]
    table = {
        "domain": pa.array([d for d, _ in listed], pa.string()),
        "item": pa.array([i for _, i in listed], pa.int64()),
    }
    pq.write_table(pa.table(table), folder / files.CATALOGUE)
    edges = {"item_entity": graph.has_entity.nnz, "entity_entity": graph.entity_entity.nnz // 2}
    edges["user_user"] = graph.social.nnz // 2
    flows = [Flow(LINKS_TO_EDGES, "links", n, {"edges": n}, source=source) for source, n in edges.items()]
    write_flows(flows, folder)


def with_relation(graph, name, change):
    """The graph with one relation's CSR changed: `change(csr)` gives the new one."""
    csr = change(relations_of(graph)[name].csr)
    if name.startswith("interacts:"):
        return replace(graph, interacts={**graph.interacts, name.partition(":")[2]: csr})
    return replace(graph, **{name: csr})


def with_edges(csr, rows, cols, *, values=1.0, kinds=0, size=None):
    """A CSR with further entries, sorted as ours are; `size` where rows lie beyond it."""
    rows, cols = np.atleast_1d(rows), np.atleast_1d(cols)
    more = np.broadcast_to
    return replace(
        from_coo(
            np.concatenate([csr.row_of_entry(), rows]),
            np.concatenate([csr.indices, cols]),
            max(csr.rows, size or 0),
            csr.cols,
            None
            if csr.values is None
            else np.concatenate([csr.values, more(np.float32(values), rows.shape)]),
            None if csr.kinds is None else np.concatenate([csr.kinds, more(np.int64(kinds), rows.shape)]),
        ),
        cols=csr.cols,
    )


def without(csr, positions):
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


def rewrite_nodes(folder, kind, **columns):
    """Replaces columns of a node table; `None` leaves one out."""
    file = {"user": files.USERS, "item": files.ITEMS, "entity": files.ENTITIES}[kind]
    table = pq.read_table(folder / file)
    kept = {name: columns.get(name, table[name]) for name in table.column_names}
    pq.write_table(pa.table(kept), folder / file)


def view_of(con, graph, folder, change=lambda _: None):
    """The graph in a folder, its tables changed by `change(folder)`, as the contract sees it."""
    write_graph(graph, folder)
    change(folder)
    return GraphView(con, folder, graph)
