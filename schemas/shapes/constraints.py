"""Shapes taken apart: one constraint after another, each with a name that reports and SHACL share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hier_dag.config.shapes import NodeShape, RelationShape, Shapes
from hier_dag.config.shapes_file import load_shapes

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


@cache
def packaged_shapes() -> Shapes:
    """The shapes that every platform's graph must have."""
    return load_shapes(PACKAGED)
