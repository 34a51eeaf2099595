"""A graph's profile: counts, degrees, overlap of domains and what bridges them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hier_dag.graph.csr import CSR, IntArray
from hier_dag.graph.knowledge_graph import TEST, TRAIN, VALIDATION, KnowledgeGraph

_QUANTILES = (0.5, 0.9, 0.99, 1.0)


def profile(graph: KnowledgeGraph) -> dict[str, Any]:
    """Counts and distributions that say whether a graph is what it should be, JSON-serialisable.

    Returns:
        nodes, edges per relation, per-domain counts, degree quantiles, users and items shared by each two
        domains, bridges (in two or more domains) and isolated nodes.
    """
    domains = (*graph.sources, *graph.targets)
    users = {d: np.unique(graph.interactions[d].user) for d in domains}
    entities = {d: _entities_of(graph.has_entity, graph.catalogue[d]) for d in domains}
    return {
        "nodes": {"users": graph.n_users, "items": graph.n_items, "entities": graph.n_entities},
        "edges": {
            "interacts": {d: graph.interacts[d].nnz for d in domains},
            "has_entity": graph.has_entity.nnz,
            "entity_entity": graph.entity_entity.nnz,
            "social": graph.social.nnz,
        },
        "domains": {d: _domain(graph, d, users[d], entities[d]) for d in domains},
        "degrees": {
            "entities_per_item": _degrees(graph.has_entity.degrees()),
            "items_per_entity": _degrees(graph.has_entity.transpose().degrees()),
            "friends_per_user": _degrees(graph.social.degrees()),
        },
        "shared_users": _overlap(users),
        "shared_items": _overlap(graph.catalogue),
        "shared_entities": _overlap(entities),
        "bridges": {
            "users": _bridges(users, graph.n_users),
            "items": _bridges(graph.catalogue, graph.n_items),
            "entities": _bridges(entities, graph.n_entities),
        },
        "isolated": {
            "items_without_entity": int((graph.has_entity.degrees() == 0).sum()),
            "entities_without_item": int((graph.has_entity.transpose().degrees() == 0).sum()),
        },
    }


def _domain(graph: KnowledgeGraph, domain: str, users: IntArray, entities: IntArray) -> dict[str, Any]:
    split = graph.interactions[domain].split
    sources = [graph.interactions[s].user for s in graph.sources if s != domain]
    elsewhere = np.isin(users, np.concatenate(sources)) if sources else np.zeros(len(users), bool)
    return {
        "role": "source" if domain in graph.sources else "target",
        "users": len(users),
        "items": len(graph.catalogue[domain]),
        "entities": len(entities),
        "audience": len(graph.audience[domain]),
        "train": int((split == TRAIN).sum()),
        "validation": int((split == VALIDATION).sum()),
        "test": int((split == TEST).sum()),
        "users_with_source_history": int(elsewhere.sum()),
    }


def _entities_of(has_entity: CSR, items: IntArray) -> IntArray:
    of_item = np.zeros(has_entity.rows, dtype=bool)
    of_item[items] = True
    return np.unique(has_entity.indices[of_item[has_entity.row_of_entry()]])


def _degrees(degrees: IntArray) -> dict[str, float]:
    if len(degrees) == 0:
        return {"mean": 0.0} | {f"p{100 * q:g}": 0.0 for q in _QUANTILES}
    quantiles = np.quantile(degrees, _QUANTILES)
    return {"mean": round(float(degrees.mean()), 3)} | {
        f"p{100 * q:g}": float(v) for q, v in zip(_QUANTILES, quantiles, strict=True)
    }


def _overlap(members: dict[str, IntArray]) -> dict[str, dict[str, int]]:
    return {
        a: {b: len(np.intersect1d(members[a], members[b], assume_unique=True)) for b in members}
        for a in members
    }


def _bridges(members: dict[str, IntArray], n: int) -> int:
    domains_of = np.zeros(n, dtype=np.int64)
    for numbers in members.values():
        domains_of[numbers] += 1
    return int((domains_of >= 2).sum())
