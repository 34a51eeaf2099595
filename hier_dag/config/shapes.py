"""Shapes of a knowledge graph as they are declared: SHACL's constraints on nodes and relations, in YAML.

The words are SHACL's (minCount, maxCount, datatype, minLength, severity), and a few that it needs SPARQL for
(unique, maxPerPair, symmetric, irreflexive).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.alias_generators import to_camel

_STRICT = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, strict=True)

NodeClass = Literal["User", "Item", "Entity"]
Severity = Literal["violation", "warning"]
JOINS: dict[str, tuple[NodeClass, NodeClass]] = {
    "interacts": ("User", "Item"),
    "has_entity": ("Item", "Entity"),
    "entity_entity": ("Entity", "Entity"),
    "social": ("User", "User"),
}
"""What each relation joins; `interacts` is that of every domain, `interacts:<domain>` that of one."""


class Range(BaseModel):
    """Bounds of a number; a NaN lies in no range."""

    model_config = _STRICT | ConfigDict(allow_inf_nan=False)
    min_inclusive: float | None = None
    min_exclusive: float | None = None
    max_inclusive: float | None = None
    max_exclusive: float | None = None


class NodeShape(BaseModel):
    """What a property of every node of one type must look like."""

    model_config = _STRICT
    node: NodeClass
    property: Literal["id", "name"]
    min_count: int | None = Field(None, ge=1, description="values that a node has at least")
    max_count: int | None = Field(None, ge=1, description="values that a node has at most")
    datatype: Literal["string", "integer"] | None = None
    min_length: int | None = Field(None, ge=1, description="characters")
    max_length: int | None = Field(None, ge=1, description="characters")
    unique: bool = Field(False, description="no two nodes of the type share a value")
    severity: Severity = "violation"
    message: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> NodeShape:
        if self.node == "User" and self.property == "name":
            raise ValueError("a User has no name")
        _demand_one(self.constraints())
        return self

    def constraints(self) -> Iterator[tuple[str, Any]]:
        """Kind and value of each constraint that is declared."""
        names = ("min_count", "max_count", "datatype", "min_length", "max_length", "unique")
        yield from _declared(self, names)


class RelationShape(BaseModel):
    """What every edge of a relation, or every node on one side of it, must look like."""

    model_config = _STRICT
    relation: str
    source: NodeClass | None = Field(None, alias="from", description="type of the node an edge starts at")
    target: NodeClass | None = Field(None, alias="to", description="type of the node it ends at")
    max_per_pair: int | None = Field(None, ge=1, description="edges of one kind between two nodes")
    irreflexive: bool = Field(False, description="no edge from a node to itself")
    symmetric: bool = Field(False, description="every edge is there in the other direction too")
    weight: Range = Range()
    per: Literal["from", "to"] | None = Field(
        None, description="side whose nodes minCount, maxCount are about"
    )
    min_count: int | None = Field(None, ge=1, description="edges that such a node has at least")
    max_count: int | None = Field(None, ge=0, description="edges that such a node has at most")
    severity: Severity = "violation"
    message: str | None = None

    @model_validator(mode="after")
    def _fits_the_relation(self) -> RelationShape:
        family, _, domain = self.relation.partition(":")
        if family not in JOINS or (domain and family != "interacts"):
            known = ", ".join((*JOINS, "interacts:<domain>"))
            raise ValueError(f"there is no relation {self.relation!r}; declare one of {known}")
        for side, given, joined in zip(
            ("from", "to"), (self.source, self.target), JOINS[family], strict=True
        ):
            if given not in (None, joined):
                raise ValueError(f"{self.relation} goes {side} {joined}, not {given}")
        if JOINS[family][0] != JOINS[family][1] and (self.symmetric or self.irreflexive):
            raise ValueError("symmetric and irreflexive are for relations between nodes of one type")
        if (self.per is None) != (self.min_count is None and self.max_count is None):
            raise ValueError("`per` (from or to) goes with minCount or maxCount")
        _demand_one(self.constraints())
        return self

    def constraints(self) -> Iterator[tuple[str, Any]]:
        """Kind and value of each constraint that is declared; a count's value is (side, count)."""
        yield from (("class", side) for side, t in (("from", self.source), ("to", self.target)) if t)
        yield from _declared(self, ("max_per_pair", "irreflexive", "symmetric"))
        yield from _declared(self.weight, tuple(Range.model_fields))
        yield from ((kind, (self.per, n)) for kind, n in _declared(self, ("min_count", "max_count")))


def _declared(of: BaseModel, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name in names:
        value = getattr(of, name)
        if value is not None and value is not False:
            yield name, value


def _demand_one(constraints: Iterator[tuple[str, Any]]) -> None:
    if next(constraints, None) is None:
        raise ValueError("the shape declares no constraint")


def _kind(value: Any) -> str:
    has = value if isinstance(value, dict) else vars(value) if isinstance(value, BaseModel) else {}
    return NODE if "node" in has else RELATION


NODE, RELATION = "<node shape>", "<relation shape>"
"""Tags that pydantic puts into the place of a mistake; no key of a document is called so."""
Shape = Annotated[
    Annotated[NodeShape, Tag(NODE)] | Annotated[RelationShape, Tag(RELATION)], Discriminator(_kind)
]


class Shapes(BaseModel):
    """A file of shapes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    shapes: tuple[Shape, ...]

    def plain(self) -> list[dict[str, Any]]:
        """The shapes as JSON values that `Shapes.model_validate({"shapes": …})` reads back."""
        dumped: list[dict[str, Any]] = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)[
            "shapes"
        ]
        return dumped
