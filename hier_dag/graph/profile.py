"""A graph's profile: counts, degrees, overlap of domains, what bridges them and what stands apart.

A pure function of the graph: what a later graph is compared with, without its edges being read again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.components import components
from hier_dag.graph.csr import CSR, IntArray
from hier_dag.graph.degrees import degree_histograms, largest
from hier_dag.graph.knowledge_graph import TEST, TRAIN, VALIDATION, KnowledgeGraph
from hier_dag.graph.relations import NODE_TYPES, Relation, node_counts, relations_of

_QUANTILES = (0.5, 0.9, 0.99, 1.0)
_PLURAL = {"user": "users", "item": "items", "entity": "entities"}

Members = dict[str, NDArray[np.bool_]]
"""Of each domain, which nodes of one type are in it: bool [nodes]."""


def profile(graph: KnowledgeGraph) -> dict[str, Any]:
    """Counts and distributions that say whether a graph is what it should be, JSON-serialisable.

    Args:
        graph: every end of every edge must be a node.

    Returns:
        nodes, edges per relation, per-domain counts, degree quantiles, log-degree histograms, nodes of
        highest degree, users, items and entities shared by each two domains, bridges (in two or more
        domains), components and isolated nodes.
    """
    domains = (*graph.sources, *graph.targets)
    relations = relations_of(graph)
    users = {d: _mask(graph.n_users, graph.interactions[d].user) for d in domains}
    items = {d: _mask(graph.n_items, graph.catalogue[d]) for d in domains}
    entities = {d: _entities_of(graph.has_entity, items[d]) for d in domains}
    has_entity, social = relations["has_entity"], relations["social"]
    return {
        "nodes": {"users": graph.n_users, "items": graph.n_items, "entities": graph.n_entities},
        "edges": {
            "interacts": {d: graph.interacts[d].nnz for d in domains},
            "has_entity": graph.has_entity.nnz,
            "entity_entity": graph.entity_entity.nnz,
            "social": graph.social.nnz,
        },
        "domains": {d: _domain(graph, d, users, entities[d]) for d in domains},
        "degrees": {
            "entities_per_item": _degrees(has_entity.out_degrees),
            "items_per_entity": _degrees(has_entity.in_degrees),
            "friends_per_user": _degrees(social.out_degrees),
        },
        "degree_histograms": degree_histograms(graph, relations),
        "largest": largest(graph, relations),
        "shared_users": _overlap(users),
        "shared_items": _overlap(items),
        "shared_entities": _overlap(entities),
        "bridges": {"users": _bridges(users), "items": _bridges(items), "entities": _bridges(entities)},
        "components": _components(graph, relations),
        "isolated": {
            "items_without_entity": int((has_entity.out_degrees == 0).sum()),
            "entities_without_item": int((has_entity.in_degrees == 0).sum()),
            **_isolated(graph, relations),
        },
    }


def _mask(n: int, numbers: IntArray) -> NDArray[np.bool_]:
    out = np.zeros(n, dtype=bool)
    out[numbers] = True
    return out


def _domain(
    graph: KnowledgeGraph, domain: str, users: Members, entities: NDArray[np.bool_]
) -> dict[str, Any]:
    counts = np.bincount(graph.interactions[domain].split, minlength=3)
    elsewhere = np.zeros(graph.n_users, dtype=bool)
    for source in graph.sources:
        if source != domain:
            elsewhere |= users[source]
    return {
        "role": "source" if domain in graph.sources else "target",
        "users": int(users[domain].sum()),
        "items": len(graph.catalogue[domain]),
        "entities": int(entities.sum()),
        "audience": len(graph.audience[domain]),
        "train": int(counts[TRAIN]),
        "validation": int(counts[VALIDATION]),
        "test": int(counts[TEST]),
        "users_with_source_history": int((users[domain] & elsewhere).sum()),
    }


def _entities_of(has_entity: CSR, items: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return _mask(has_entity.cols, has_entity.indices[np.repeat(items, has_entity.degrees())])


def _degrees(degrees: IntArray) -> dict[str, float]:
    if len(degrees) == 0:
        return {"mean": 0.0} | {f"p{100 * q:g}": 0.0 for q in _QUANTILES}
    quantiles = np.quantile(degrees, _QUANTILES)
    return {"mean": round(float(degrees.mean()), 3)} | {
        f"p{100 * q:g}": float(v) for q, v in zip(_QUANTILES, quantiles, strict=True)
    }


def _overlap(members: Members) -> dict[str, dict[str, int]]:
    return {a: {b: int((members[a] & members[b]).sum()) for b in members} for a in members}


def _bridges(members: Members) -> int:
    domains_of = np.sum([m.astype(np.int16) for m in members.values()], axis=0)
    return int((domains_of >= 2).sum())


def _components(graph: KnowledgeGraph, relations: dict[str, Relation]) -> dict[str, Any]:
    """Components over all nodes and relations; a node without an edge is one by itself."""
    sizes = np.bincount(components(node_counts(graph), relations.values()))
    nodes, giant = int(sizes.sum()), int(sizes.max(initial=0))
    return {
        "count": len(sizes),
        "of_several_nodes": int((sizes > 1).sum()),
        "giant_nodes": giant,
        "giant_share": round(giant / nodes, 6) if nodes else 0.0,
    }


def _isolated(graph: KnowledgeGraph, relations: dict[str, Relation]) -> dict[str, int]:
    """Nodes of each type that no edge of any relation touches."""
    touched = {t: np.zeros(n, dtype=bool) for t, n in node_counts(graph).items()}
    for r in relations.values():
        touched[r.source] |= r.out_degrees > 0
        touched[r.target] |= r.in_degrees > 0
    return {_PLURAL[t]: int((~touched[t]).sum()) for t in NODE_TYPES}
