"""A graph, or a sample of one, as N-Triples in the vocabulary that `shapes.ttl` is about."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.graph.relations import NODE_TYPES, NodeType, Relation
from schemas.graph_contract.view import GraphView
from schemas.shapes.relation_rules import population
from schemas.shapes.turtle import VOCABULARY

_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
_XSD = "http://www.w3.org/2001/XMLSchema#"


def node_iri(kind: NodeType, number: int) -> str:
    """Name of a node, by its number: ids may hold any character."""
    return f"<{VOCABULARY}{kind}:{number}>"


def edge_iri(relation: str, position: int) -> str:
    """Name of an edge, by its place in its relation's arrays."""
    return f"<{VOCABULARY}edge:{relation}:{position}>"


def to_triples(view: GraphView) -> Iterator[str]:
    """Every node and edge as lines of N-Triples; for graphs that a SHACL tool can hold."""
    for kind in NODE_TYPES:
        yield from _nodes(view, kind)
    for relation in view.readable.values():
        yield from _edges(relation, view.graph)
        if relation.domain is not None:
            for side, joined in (("from", relation.source), ("to", relation.target)):
                group = f"<{VOCABULARY}{joined}_of:{relation.domain}>"
                for number in population(view, relation, side).tolist():
                    yield f"{node_iri(joined, number)} {_TYPE} {group} ."


def _nodes(view: GraphView, kind: NodeType) -> Iterator[str]:
    for row in view.con.to_pyarrow(view.nodes(kind)).to_pylist():
        node = node_iri(kind, row[kind])
        yield f"{node} {_TYPE} <{VOCABULARY}{kind.capitalize()}> ."
        yield _value(node, "number", row[kind])
        for name, column in (("id", f"{kind}_id"), ("name", "name")):
            if row.get(column) is not None:
                yield _value(node, name, row[column])


def _edges(relation: Relation, graph: KnowledgeGraph) -> Iterator[str]:
    csr = relation.csr
    for position, (a, b) in enumerate(zip(csr.row_of_entry().tolist(), csr.indices.tolist(), strict=True)):
        edge = edge_iri(relation.name, position)
        yield f"{edge} {_TYPE} <{VOCABULARY}{relation.name}> ."
        yield f"{edge} <{VOCABULARY}from> {node_iri(relation.source, a)} ."
        yield f"{edge} <{VOCABULARY}to> {node_iri(relation.target, b)} ."
        yield _value(edge, "position", position)
        if csr.values is not None:
            yield _value(edge, "weight", float(csr.values[position]))
        if csr.kinds is not None:
            yield _value(edge, "kind", int(csr.kinds[position]))


def _value(subject: str, name: str, value: Any) -> str:
    return f"{subject} <{VOCABULARY}{name}> {_literal(value)} ."


def _literal(value: Any) -> str:
    if isinstance(value, float):
        # XML Schema's words for what is no number.
        text = repr(value) if math.isfinite(value) else {math.inf: "INF", -math.inf: "-INF"}.get(value, "NaN")
        return f'"{text}"^^<{_XSD}double>'
    if isinstance(value, int | np.integer):
        return f'"{value}"^^<{_XSD}integer>'
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007F")
