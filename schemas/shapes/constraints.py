"""Shapes taken apart: one constraint after another, each with a name that reports and SHACL share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hier_dag.config.shapes import NodeShape, RelationShape, Shapes
from hier_dag.config.shapes_file import load_shapes
from hier_dag.graph.relations import Relation

PACKAGED = Path(__file__).parent / "knowledge_graph.yaml"


@dataclass(frozen=True)
class Constraint:
    """One constraint of one shape.

    Attributes:
        number: place of the shape among all, from 1.
        shape: the shape.
        kind: what is demanded, such as `min_count`; the reason code of what breaks it.
        value: how much; of a count per node (side, count), of `class` the side.
    """

    number: int
    shape: NodeShape | RelationShape
    kind: str
    value: Any

    @property
    def name(self) -> str:
        """Unique among all constraints, usable in an IRI: `shape-8.max_per_pair`, `shape-8.class.from`."""
        side = f".{self.value}" if self.kind == "class" else ""
        return f"shape-{self.number}.{self.kind}{side}"

    def name_in(self, relation: Relation | None) -> str:
        """The name where it is about one relation: `shape-6.max_per_pair:interacts:cafe`."""
        return self.name if relation is None else f"{self.name}:{relation.name}"

    @property
    def about(self) -> str | None:
        """Property of a node, side of an edge or `weight`; None where it is the edge as a whole."""
        if isinstance(self.shape, NodeShape):
            return self.shape.property
        if self.kind in ("min_count", "max_count"):
            return str(self.value[0])
        if self.kind == "class":
            return str(self.value)
        return "weight" if self.kind.endswith("clusive") else None


def constraints_of(shapes: Iterable[NodeShape | RelationShape]) -> list[Constraint]:
    """Every constraint of some shapes, in their order."""
    return [
        Constraint(number, shape, kind, value)
        for number, shape in enumerate(shapes, start=1)
        for kind, value in shape.constraints()
    ]


def relations_meant(shape: RelationShape, relations: dict[str, Relation]) -> list[Relation]:
    """The relations that a shape is about: `interacts` is that of every domain."""
    return [r for name, r in relations.items() if shape.relation in (name, r.family)]


@cache
def packaged_shapes() -> Shapes:
    """The shapes that every platform's graph must have."""
    return load_shapes(PACKAGED)
