"""What pyshacl says of a graph and its shapes, and what the columnar checks say; it should be the same.

Needs pyshacl and rdflib (the `test` extra); for graphs of some hundred nodes.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyshacl
import rdflib

from hier_dag.config.shapes import NodeShape
from hier_dag.graph.relations import NODE_TYPES
from schemas.graph_contract.view import GraphView
from schemas.shapes.constraints import Constraint, relations_meant
from schemas.shapes.export import edge_iri, node_iri, to_triples
from schemas.shapes.node_rules import failing_nodes
from schemas.shapes.relation_rules import COUNT_RULES, EDGE_RULES, failing_side
from schemas.shapes.turtle import VOCABULARY, to_turtle

Told = list[tuple[str, str, str]]
"""(shape, severity, node or edge) of every violation, sorted."""

SEVERITY = {"violation": "Violation", "warning": "Warning"}


def told_by_shacl(view: GraphView, asked: Sequence[Constraint]) -> Told:
    """Everything that pyshacl reports of the exported graph."""
    sh = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    data = rdflib.Graph().parse(data="\n".join(to_triples(view)), format="nt")
    shapes = rdflib.Graph().parse(data=to_turtle(asked, view.relations), format="turtle")
    conforms, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none")
    told = [
        (
            str(report.value(r, sh.sourceShape)).removeprefix(VOCABULARY),
            str(report.value(r, sh.resultSeverity)).removeprefix(str(sh)),
            f"<{report.value(r, sh.focusNode)}>",
        )
        for r in report.subjects(rdflib.RDF.type, sh.ValidationResult)
    ]
    assert conforms == (not told)
    return sorted(told)


def found_by_columns(view: GraphView, asked: Sequence[Constraint]) -> Told:
    """The same of the columnar rules: every failing node and edge, not only the few that are shown."""
    found: Told = []
    for c in asked:
        severity = SEVERITY[c.shape.severity]
        if isinstance(c.shape, NodeShape):
            kind = {t.capitalize(): t for t in NODE_TYPES}[c.shape.node]
            failing = view.con.to_pyarrow(failing_nodes(view, kind, c))["node"].to_pylist()
            found += [(c.name, severity, node_iri(kind, n)) for n in failing]
            continue
        for relation in relations_meant(c.shape, view.relations):
            if c.kind in COUNT_RULES:
                kind, nodes = failing_side(view, relation, c)
                found += [(c.name_in(relation), severity, node_iri(kind, int(n))) for n in nodes]
            else:
                edges = EDGE_RULES[c.kind](view, relation, c.value)
                found += [(c.name_in(relation), severity, edge_iri(relation.name, int(n))) for n in edges]
    return sorted(found)
