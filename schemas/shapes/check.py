"""Runs shapes over a staged graph and collects every failure with its exact count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hier_dag.config.shapes import NodeShape, RelationShape, Severity
from hier_dag.graph.relations import NODE_TYPES, Relation
from schemas.graph_contract.view import NODE_FILES, GraphView
from schemas.shapes.constraints import Constraint, relations_meant
from schemas.shapes.node_rules import check_nodes
from schemas.shapes.relation_rules import check_relation
from schemas.validate import Failure


@dataclass(frozen=True)
class ShapeFailure(Failure):
    """A constraint that nodes or edges break.

    Attributes:
        shape: name of the constraint, and of its shape in `shapes.ttl`.
        severity: `violation` or `warning`.
        message: why it matters, where the shape says it.
    """

    shape: str
    severity: Severity
    message: str | None = None


def check_shapes(view: GraphView, constraints: Sequence[Constraint]) -> list[ShapeFailure]:
    """Checks a graph against shapes.

    Args:
        view: the staged graph; relations whose arrays do not fit each other are left out.
        constraints: as `constraints_of` gives them.

    Returns:
        Every constraint that is broken: nodes first, then edges, in the order of the shapes.
    """
    return [*_nodes(view, constraints), *_edges(view, constraints)]


def _nodes(view: GraphView, constraints: Sequence[Constraint]) -> Iterator[ShapeFailure]:
    for kind in NODE_TYPES:
        own = [c for c in constraints if isinstance(c.shape, NodeShape) and c.shape.node.lower() == kind]
        for c, count, sample in check_nodes(view, kind, own):
            yield _failure(c, None, NODE_FILES[kind], count, sample)


def _edges(view: GraphView, constraints: Sequence[Constraint]) -> Iterator[ShapeFailure]:
    for c in constraints:
        if isinstance(c.shape, RelationShape):
            for relation in relations_meant(c.shape, view.readable):
                count, sample = check_relation(view, relation, c)
                if count:
                    yield _failure(c, relation, relation.name, count, sample)


def _failure(
    c: Constraint, relation: Relation | None, table: str, count: int, sample: tuple[str, ...]
) -> ShapeFailure:
    return ShapeFailure(
        table, c.about, c.kind, count, sample, c.name_in(relation), c.shape.severity, c.shape.message
    )
