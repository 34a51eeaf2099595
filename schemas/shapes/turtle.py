"""Writes shapes as SHACL in Turtle, so that any RDF tool can check an exported graph against them.

The vocabulary that they are about, with `hier:` for `urn:hier:`:

- a node is a `hier:User`, `hier:Item` or `hier:Entity` with `hier:number`, `hier:id` and `hier:name`; users
  of a domain are `hier:user_of:<domain>` too, items on offer there `hier:item_of:<domain>`;
- an edge is a resource of the class `hier:<relation>`, such as `hier:social` or `hier:interacts:<domain>`,
  with `hier:from`, `hier:to`, `hier:position` (its place in the arrays) and, where it has one, `hier:weight`
  and `hier:kind`. Edges are resources because a set of triples could not hold two equal ones.

What SHACL's core cannot say (unique, maxPerPair, symmetric) is a SPARQL constraint.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hier_dag.config.shapes import NodeShape
from hier_dag.graph.relations import Relation
from schemas.shapes.constraints import Constraint, relations_meant

VOCABULARY = "urn:hier:"
_HEAD = f"""\
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix hier: <{VOCABULARY}> .
"""


def to_turtle(constraints: Iterable[Constraint], relations: dict[str, Relation]) -> str:
    """A SHACL document with one shape for each constraint (and relation that it is about), named alike.

    Args:
        constraints: as `constraints_of` gives them.
        relations: relations of the graph; a shape about `interacts` is about every domain's.
    """
    return "\n".join([_HEAD, *(text for c in constraints for text in _shapes(c, relations))])


def _shapes(constraint: Constraint, relations: dict[str, Relation]) -> Iterator[str]:
    shape, kind, value = constraint.shape, constraint.kind, constraint.value
    if isinstance(shape, NodeShape):
        write = _unique if kind == "unique" else _property
        yield _written(constraint, None, shape.node, write(shape, kind, value))
        return
    for relation in relations_meant(shape, relations):
        target = _counted(relation, value[0]) if kind in ("min_count", "max_count") else relation.name
        yield _written(constraint, relation, target, _EDGE[kind](relation, kind, value))


def _written(constraint: Constraint, relation: Relation | None, target: str, body: str) -> str:
    shape = constraint.shape
    message = shape.message or f"{constraint.kind} of {target}"
    form = "sh:NodeShape" if body.startswith("sh:sparql") else "sh:PropertyShape"
    return (
        f"<{VOCABULARY}{constraint.name_in(relation)}> a {form} ;\n"
        f"  sh:targetClass {_iri(target)} ;\n  {body} ;\n"
        f"  sh:message {_text(message)} ;\n  sh:severity sh:{shape.severity.capitalize()} .\n"
    )


def _property(shape: NodeShape, kind: str, value: Any) -> str:
    word = _camel(kind)
    return f"sh:path hier:{shape.property} ; sh:{word} " + (
        f"xsd:{value}" if kind == "datatype" else f"{value}"
    )


def _unique(shape: NodeShape, kind: str, value: Any) -> str:
    """A node is one too many where one of a lower number has its value."""
    what = _iri(shape.property)
    return _sparql(
        f"$this {what} ?value ; {_iri('number')} ?number . "
        f"?other {what} ?value ; a {_iri(shape.node)} ; {_iri('number')} ?lower . FILTER(?lower < ?number)"
    )


def _class(relation: Relation, kind: str, side: str) -> str:
    joined = relation.source if side == "from" else relation.target
    return f"sh:path hier:{side} ; sh:class hier:{joined.capitalize()}"


def _max_per_pair(relation: Relation, kind: str, most: int) -> str:
    """An edge is one too many where `most` with the same ends and kind come before it in the arrays."""
    of_kind = f" ; {_iri('kind')} ?kind" if relation.csr.kinds is not None else ""
    ends = f"{_iri('from')} ?a ; {_iri('to')} ?b{of_kind} ; {_iri('position')}"
    places = [f"?p{i}" for i in range(most)]
    others = " ".join(f"?e{i} a {_iri(relation.name)} ; {ends} {place} ." for i, place in enumerate(places))
    order = " && ".join(f"{a} < {b}" for a, b in zip(places, [*places[1:], "?place"], strict=True))
    return _sparql(f"$this {ends} ?place . {others} FILTER({order})")


def _symmetric(relation: Relation, kind: str, value: bool) -> str:
    of_kind = f" ; {_iri('kind')} ?kind" if relation.csr.kinds is not None else ""
    back = f"?back a {_iri(relation.name)} ; {_iri('from')} ?b ; {_iri('to')} ?a{of_kind}"
    forth = f"$this {_iri('from')} ?a ; {_iri('to')} ?b{of_kind}"
    return _sparql(f"{forth} . FILTER NOT EXISTS {{ {back} }}")


def _irreflexive(relation: Relation, kind: str, value: bool) -> str:
    return "sh:path hier:from ; sh:disjoint hier:to"


def _weight(relation: Relation, kind: str, bound: float) -> str:
    return f'sh:path hier:weight ; sh:{_camel(kind)} "{bound!r}"^^xsd:double'


def _count(relation: Relation, kind: str, value: tuple[str, int]) -> str:
    side, count = value
    return (
        f"sh:path [ sh:inversePath hier:{side} ] ; "
        f"sh:qualifiedValueShape [ sh:class {_iri(relation.name)} ] ; "
        f"sh:qualified{_camel(kind)[0].upper()}{_camel(kind)[1:]} {count}"
    )


_EDGE: dict[str, Callable[[Relation, str, Any], str]] = {
    "class": _class,
    "max_per_pair": _max_per_pair,
    "symmetric": _symmetric,
    "irreflexive": _irreflexive,
    **dict.fromkeys(("min_inclusive", "min_exclusive", "max_inclusive", "max_exclusive"), _weight),
    **dict.fromkeys(("min_count", "max_count"), _count),
}


def _counted(relation: Relation, side: str) -> str:
    """Class of the nodes whose edges are counted."""
    joined = relation.source if side == "from" else relation.target
    return joined.capitalize() if relation.domain is None else f"{joined}_of:{relation.domain}"


def _sparql(where: str) -> str:
    return f"sh:sparql [ sh:select {_text(f'SELECT DISTINCT $this WHERE {{ {where} }}')} ]"


def _iri(name: str) -> str:
    return f"<{VOCABULARY}{name}>"


def _camel(kind: str) -> str:
    first, *rest = kind.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
