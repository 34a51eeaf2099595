"""Constraints on the edges of a relation, and on how many a node has, run over its CSR arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import CSR, FloatArray, IntArray
from hier_dag.graph.relations import NodeType, Relation
from schemas.graph_contract.edge_rules import NONE, beyond_per_pair, loops, one_way, without_end
from schemas.graph_contract.view import SHOWN, GraphView
from schemas.shapes.constraints import Constraint

EDGE_RULES: dict[str, Callable[[GraphView, Relation, Any], IntArray]] = {
    "class": without_end,
    "max_per_pair": lambda _, r, most: beyond_per_pair(r, most),
    "irreflexive": lambda _, r, __: loops(r),
    "symmetric": lambda _, r, __: one_way(r),
    "min_inclusive": lambda _, r, bound: _outside(r.csr, lambda w: w >= bound),
    "min_exclusive": lambda _, r, bound: _outside(r.csr, lambda w: w > bound),
    "max_inclusive": lambda _, r, bound: _outside(r.csr, lambda w: w <= bound),
    "max_exclusive": lambda _, r, bound: _outside(r.csr, lambda w: w < bound),
}
"""Kind of constraint → places of the edges that break it."""

COUNT_RULES: dict[str, Callable[[IntArray, int], NDArray[np.bool_]]] = {
    "min_count": lambda degrees, least: degrees < least,
    "max_count": lambda degrees, most: degrees > most,
}
"""Kind of constraint → which of some degrees break it."""


def check_relation(
    view: GraphView, relation: Relation, constraint: Constraint
) -> tuple[int, tuple[str, ...]]:
    """How many edges (or nodes, for counts per node) of a relation break a constraint, and a few of them."""
    if constraint.kind in COUNT_RULES:
        kind, nodes = failing_side(view, relation, constraint)
        return len(nodes), tuple(view.name(kind, int(n)) for n in nodes[:SHOWN])
    edges = EDGE_RULES[constraint.kind](view, relation, constraint.value)
    return len(edges), view.show_edges(relation, edges)


def failing_side(view: GraphView, relation: Relation, constraint: Constraint) -> tuple[NodeType, IntArray]:
    """Type and numbers of the nodes that have too few or too many edges."""
    side, count = constraint.value
    nodes = population(view, relation, side)
    broken = COUNT_RULES[constraint.kind](_degrees(relation, side, nodes), count)
    return (relation.source if side == "from" else relation.target), nodes[broken]


def population(view: GraphView, relation: Relation, side: str) -> IntArray:
    """Nodes whose edges are counted on one side of a relation, int64 ascending.

    All nodes of the side's type; on an `interacts` relation the domain's own users and its catalogue.
    """
    if relation.domain is None:
        return np.unique(view.numbers[relation.source if side == "from" else relation.target])
    if side == "to":
        return view.graph.catalogue[relation.domain]
    return np.unique(view.graph.interactions[relation.domain].user)


def _degrees(relation: Relation, side: str, nodes: IntArray) -> IntArray:
    csr = relation.csr
    if side == "from":
        degrees = relation.out_degrees
    else:
        indices = csr.indices
        degrees = np.bincount(indices[(indices >= 0) & (indices < csr.cols)], minlength=csr.cols)
    inside = (nodes >= 0) & (nodes < len(degrees))
    out = np.zeros(len(nodes), dtype=np.int64)
    out[inside] = degrees[nodes[inside]]
    return out


def _outside(csr: CSR, holds: Callable[[FloatArray], Any]) -> IntArray:
    return NONE if csr.values is None else np.flatnonzero(~holds(csr.values))
