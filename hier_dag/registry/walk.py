"""What an artifact was made of and what was made of it: recursive queries over the table of parents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import CTE, Select, literal, select
from sqlalchemy.orm import Session

from hier_dag.names import title_of
from hier_dag.registry.aliases import as_utc
from hier_dag.registry.tables import ArtifactRecord, ParentRecord


class Node(NamedTuple):
    """An artifact on the way, by what the table of artifacts says of it."""

    digest: str
    event: int
    kind: str
    partition: str | None
    code_version: str
    code_commit: str
    environment: str
    run_id: str
    who: str
    created_at: datetime
    seconds: float
    bytes: int

    @property
    def title(self) -> str:
        """How a person calls it: kg/graph, raw/events[food]."""
        return title_of(self.kind, self.partition)


_CREATED = Node._fields.index("created_at")


class Edge(NamedTuple):
    """An artifact was made from another, which had this role."""

    child: str
    role: str
    parent: str


@dataclass(frozen=True)
class Walk:
    """Everything that was reached.

    Attributes:
        nodes: by digest, the first ones included; an artifact that is not on record is missing here.
        edges: those that were walked, in order of child and role.
    """

    nodes: dict[str, Node]
    edges: list[Edge]


def ancestors(s: Session, digest: str, *, depth: int | None = None, but_roles: Sequence[str] = ()) -> Walk:
    """What an artifact was made of.

    Args:
        s: a transaction.
        digest: where to begin.
        depth: steps at most; None for all the way.
        but_roles: roles that are not followed.
    """
    return _walk(s, just(digest), depth, but_roles, up=True)


def descendants(s: Session, digest: str, *, depth: int | None = None) -> Walk:
    """What was made of an artifact.

    Args:
        s: a transaction.
        digest: where to begin.
        depth: steps at most; None for all the way.
    """
    return _walk(s, just(digest), depth, (), up=False)


def nodes_of(s: Session, found: CTE) -> dict[str, Node]:
    """Records of the artifacts that a walk reaches, by digest.

    Args:
        s: a transaction.
        found: a table expression with a column `digest` (`reached`).
    """
    columns = [getattr(ArtifactRecord, name) for name in Node._fields]
    query = select(*columns).where(ArtifactRecord.digest.in_(select(found.c.digest)))
    # Tens of thousands of rows: the connection gives them twice as fast as the session.
    return {row[0]: node_of(row) for row in s.connection().execute(query)}


def node_of(row: Sequence[Any]) -> Node:
    """A record as a node.

    Args:
        row: its columns, in the order of a node's fields.
    """
    return Node._make((*row[:_CREATED], as_utc(row[_CREATED]), *row[_CREATED + 1 :]))


def reached(
    start: Select[tuple[str]], depth: int | None = None, but_roles: Sequence[str] = (), *, up: bool = False
) -> CTE:
    """A table expression of the digests that are reached, for queries that join it.

    Each digest is one row; where steps are limited, one row for every number of steps (`depth`) it lies at.
    """
    here, there = ParentRecord.parent, ParentRecord.child
    if up:
        here, there = there, here
    begin = start.subquery()
    counted = [] if depth is None else [literal(0).label("depth")]
    found = select(begin.c[0].label("digest"), *counted).cte("reached", recursive=True)
    further = [] if depth is None else [found.c.depth + 1]
    step: Select[Any] = select(there, *further).join(found, here == found.c.digest)
    if but_roles:
        step = step.where(ParentRecord.role.not_in(but_roles))
    return found.union(step if depth is None else step.where(found.c.depth < depth))


def just(digest: str) -> Select[tuple[str]]:
    """A query for one digest, as a start for `reached`."""
    return select(ArtifactRecord.digest).where(ArtifactRecord.digest == digest)


def _walk(
    s: Session, start: Select[tuple[str]], depth: int | None, but_roles: Sequence[str], *, up: bool
) -> Walk:
    found = reached(start, depth, but_roles, up=up)
    here = ParentRecord.child if up else ParentRecord.parent
    edges = select(ParentRecord.child, ParentRecord.role, ParentRecord.parent)
    edges = edges.join(found, here == found.c.digest)
    if but_roles:
        edges = edges.where(ParentRecord.role.not_in(but_roles))
    if depth is not None:
        edges = edges.where(found.c.depth < depth).distinct()
    return Walk(nodes_of(s, found), sorted(map(Edge._make, s.connection().execute(edges).all())))
