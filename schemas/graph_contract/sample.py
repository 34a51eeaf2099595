"""A small part of a graph that keeps all edges between its nodes, for tools that hold no whole one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hier_dag.graph.csr import CSR, IntArray, from_coo
from hier_dag.graph.knowledge_graph import Interactions, KnowledgeGraph
from hier_dag.graph.relations import NODE_TYPES, NodeType, node_counts, relations_of


def sampled(graph: KnowledgeGraph, nodes: Mapping[NodeType, int], seed: int = 0) -> KnowledgeGraph:
    """Draws nodes of each type, numbers them anew and keeps every edge between two of them.

    Half of each type are its nodes of most edges, so that a small sample of a sparse graph has edges at all;
    the others are drawn evenly.

    Args:
        graph: a sound graph.
        nodes: how many nodes of each type, at most.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    kept = {t: _drawn(rng, _degrees(graph, t), nodes[t]) for t in NODE_TYPES}
    edges = {name: _between(r.csr, kept[r.source], kept[r.target]) for name, r in relations_of(graph).items()}
    users, items, entities = (kept[t] for t in NODE_TYPES)
    return replace(
        graph,
        user_ids=graph.user_ids[users],
        item_ids=graph.item_ids[items],
        entity_ids=graph.entity_ids[entities],
        entity_names=graph.entity_names[entities],
        interacts={d: edges[f"interacts:{d}"] for d in graph.interacts},
        has_entity=edges["has_entity"],
        entity_entity=edges["entity_entity"],
        social=edges["social"],
        catalogue={d: _renumbered(c, items) for d, c in graph.catalogue.items()},
        audience={d: _renumbered(a, users) for d, a in graph.audience.items()},
        interactions={d: _pairs(p, users, items) for d, p in graph.interactions.items()},
    )


def _degrees(graph: KnowledgeGraph, kind: NodeType) -> IntArray:
    out = np.zeros(node_counts(graph)[kind], dtype=np.int64)
    for relation in relations_of(graph).values():
        if relation.source == kind:
            out += relation.out_degrees
        if relation.target == kind:
            out += relation.in_degrees
    return out


def _drawn(rng: np.random.Generator, degrees: IntArray, n: int) -> IntArray:
    n = min(n, len(degrees))
    top = np.argsort(-degrees, kind="stable")[: n // 2]
    rest = np.setdiff1d(np.arange(len(degrees)), top)
    return np.sort(np.concatenate([top, rng.choice(rest, size=n - len(top), replace=False)]))


def _renumbered(numbers: IntArray, kept: IntArray) -> IntArray:
    """New numbers of those that are kept, ascending where the old are."""
    return np.searchsorted(kept, numbers[np.isin(numbers, kept)])


def _between(csr: CSR, rows: IntArray, cols: IntArray) -> CSR:
    row = csr.row_of_entry()
    keep = np.isin(row, rows) & np.isin(csr.indices, cols)
    return from_coo(
        np.searchsorted(rows, row[keep]),
        np.searchsorted(cols, csr.indices[keep]),
        len(rows),
        len(cols),
        None if csr.values is None else csr.values[keep],
        None if csr.kinds is None else csr.kinds[keep],
    )


def _pairs(pairs: Interactions, users: IntArray, items: IntArray) -> Interactions:
    keep = np.isin(pairs.user, users) & np.isin(pairs.item, items)
    columns = {name: getattr(pairs, name)[keep] for name in Interactions.__annotations__}
    columns["user"] = np.searchsorted(users, columns["user"])
    columns["item"] = np.searchsorted(items, columns["item"])
    return Interactions(**columns)
