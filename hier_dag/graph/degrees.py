"""Degrees of a graph as small histograms and extremes, which are stored with it and compared later."""

from __future__ import annotations

from typing import Any

import numpy as np

from hier_dag.graph.csr import IntArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.graph.relations import NodeType, Relation

SIDES = ("from", "to")
"""The two sides of a relation: its rows and its columns."""


def log_histogram(degrees: IntArray) -> list[int]:
    """Counts nodes by the power of two of their degree.

    Args:
        degrees: int64 [n], not negative.

    Returns:
        counts [bins]: bin 0 holds degree 0, bin k from 1 the degrees in [2^(k-1), 2^k); up to the last bin
        that holds a node.
    """
    # frexp gives x = m · 2^e with m in [0.5, 1), so e is the bin; exact for every degree below 2^53.
    _, exponent = np.frexp(degrees.astype(np.float64))
    return [int(n) for n in np.bincount(exponent)]


def degree_histograms(
    graph: KnowledgeGraph, relations: dict[str, Relation]
) -> dict[str, dict[str, list[int]]]:
    """Log-degree histograms of every relation and side.

    On an `interacts` relation the nodes are the domain's users and its catalogue, so that growth of other
    domains moves nothing; elsewhere all nodes of the side's type. A relation both of whose directions are
    stored has one histogram, on side `from`.

    Returns:
        relation → side → counts, as `log_histogram` gives them.
    """
    out: dict[str, dict[str, list[int]]] = {}
    for name, relation in relations.items():
        sides = {"from": relation.out_degrees}
        if not relation.both_ways:
            sides["to"] = relation.in_degrees
        if relation.domain is not None:
            active = np.zeros(graph.n_users, dtype=bool)
            active[graph.interactions[relation.domain].user] = True
            sides = {
                "from": sides["from"][active],
                "to": sides["to"][graph.catalogue[relation.domain]],
            }
        out[name] = {side: log_histogram(degrees) for side, degrees in sides.items()}
    return out


def largest(graph: KnowledgeGraph, relations: dict[str, Relation]) -> dict[str, dict[str, dict[str, Any]]]:
    """The node of highest degree on every side of every relation that has an edge.

    Returns:
        relation → side → its type, id, degree, and the share of the relation's edges that end there.
    """
    ids = {"user": graph.user_ids, "item": graph.item_ids, "entity": graph.entity_ids}

    def of(kind: NodeType, degrees: IntArray, edges: int) -> dict[str, Any]:
        top = int(degrees.argmax())
        degree = int(degrees[top])
        return {"type": kind, "id": str(ids[kind][top]), "degree": degree, "share": round(degree / edges, 6)}

    out: dict[str, dict[str, dict[str, Any]]] = {}
    for name, r in relations.items():
        if r.csr.nnz == 0:
            continue
        out[name] = {"from": of(r.source, r.out_degrees, r.csr.nnz)}
        if not r.both_ways:
            out[name]["to"] = of(r.target, r.in_degrees, r.csr.nnz)
    return out
