"""What an artifact was made of, or what was made of it: the whole way, with what has become of each."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hier_dag.lineage.at_hand import at_hand
from hier_dag.lineage.versions import Version, by_digest, versions_among
from hier_dag.registry import Registry
from hier_dag.registry.tables import ArtifactRecord
from hier_dag.registry.walk import Edge, Node, Walk, ancestors, descendants, reached
from hier_dag.store import ArtifactStore

ANCHOR = "anchor"
"""Role of the set that began the space of another: that one may be turned to it, nothing more."""


@dataclass(frozen=True)
class Traced:
    """An artifact on the way.

    Attributes:
        node: its record.
        steps: the least number of steps from where the walk began; None where no steps were walked.
        stores: platforms whose store has it; empty where it was removed.
        versions: of aliases that name it.
    """

    node: Node
    steps: int | None
    stores: tuple[str, ...]
    versions: list[Version] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As a JSON-serialisable record."""
        return {
            **self.node._asdict(),
            "created_at": self.node.created_at.isoformat(),
            "steps": self.steps,
            "stores": list(self.stores),
            "versions": [v.as_json() for v in self.versions],
        }


@dataclass(frozen=True)
class Trace:
    """A walk.

    Attributes:
        start: digest where it began.
        up: towards the raw files; else towards what is published.
        artifacts: nearest first, then in the order in which they were made.
        edges: every step, by child and role; a parent that is not on record has no artifact here.
    """

    start: str
    up: bool
    artifacts: list[Traced]
    edges: list[Edge]

    def tree(self) -> dict[str, list[tuple[str, str]]]:
        """Each digest but the first one, once, with the role of the step that leads to it.

        It lies under the artifact before it on the longest way from the start. Ways over the set that began a
        space are taken for what lies on no other way.
        """
        made = {*steps_from([self.start], self.edges, up=self.up, but_roles=(ANCHOR,))}
        steps = [(*((e.child, e.parent) if self.up else (e.parent, e.child)), e.role) for e in self.edges]
        near = [s for s in steps if s[0] in made and s[1] in made]
        far = [s for s in steps if s[1] not in made]
        found: dict[str, list[tuple[str, str]]] = {}
        for there, (here, role) in {**_longest([self.start], near), **_longest(made, far)}.items():
            found.setdefault(here, []).append((role, there))
        return found

    def as_json(self) -> dict[str, Any]:
        """As a JSON-serialisable record."""
        return {
            "start": self.start,
            "direction": "up" if self.up else "down",
            "artifacts": [a.as_json() for a in self.artifacts],
            "edges": [e._asdict() for e in self.edges],
        }


def trace(
    registry: Registry,
    stores: Mapping[str, ArtifactStore],
    digest: str,
    *,
    up: bool,
    depth: int | None = None,
) -> Trace:
    """Follows an artifact to what it was made of, or to what was made of it.

    Args:
        registry: where it is on record.
        stores: by platform, to see what is still there.
        digest: in full.
        up: towards the raw files; else towards what is published.
        depth: steps at most; None for all the way.
    """

    def question(s: Session) -> tuple[Walk, list[Version]]:
        follow = ancestors if up else descendants
        start = select(ArtifactRecord.digest).where(ArtifactRecord.digest == digest)
        return follow(s, digest, depth=depth), versions_among(s, reached(start, depth, up=up))

    walk, versions = registry.read(question)
    steps = steps_from([digest], walk.edges, up=up)
    artifacts = traced(walk.nodes, versions, stores, steps)
    artifacts.sort(key=lambda t: (steps[t.node.digest], t.node.event))
    return Trace(digest, up, artifacts, walk.edges)


def traced(
    nodes: Mapping[str, Node],
    versions: Iterable[Version],
    stores: Mapping[str, ArtifactStore],
    steps: Mapping[str, int] | None = None,
) -> list[Traced]:
    """Artifacts with what has become of each, in the order in which they were made.

    Args:
        nodes: records by digest.
        versions: of aliases that name some of them.
        stores: by platform.
        steps: from where a walk began, by digest.
    """
    there = at_hand(stores, {n.kind for n in nodes.values()})
    named, far = by_digest(versions), steps or {}
    found = (Traced(n, far.get(d), there.get(d, ()), named.get(d, [])) for d, n in nodes.items())
    return sorted(found, key=lambda t: t.node.event)


def _longest(starts: Iterable[str], steps: list[tuple[str, str, str]]) -> dict[str, tuple[str, str]]:
    """What comes before each artifact on the longest way to it, and the role of that step."""
    ways: dict[str, list[tuple[str, str]]] = {}
    for here, there, role in steps:
        ways.setdefault(here, []).append((there, role))
    left = Counter(there for _, there, _ in steps)
    found, ready = {}, deque(starts)
    while ready:
        here = ready.popleft()
        for there, role in ways.get(here, ()):
            left[there] -= 1
            if left[there] == 0:  # every way to it has been walked, this one last
                found[there] = here, role
                ready.append(there)
    return found


def steps_from(
    starts: Iterable[str], edges: Iterable[Edge], *, up: bool, but_roles: Iterable[str] = ()
) -> dict[str, int]:
    """The least number of steps to each digest that edges lead to.

    Args:
        starts: where to begin; these are 0 steps away.
        edges: in any order.
        up: from child to parent; else from parent to child.
        but_roles: roles that are not followed.
    """
    left_out = frozenset(but_roles)
    ways: dict[str, list[str]] = {}
    for e in edges:
        if e.role not in left_out:
            here, there = (e.child, e.parent) if up else (e.parent, e.child)
            ways.setdefault(here, []).append(there)
    steps = dict.fromkeys(starts, 0)
    edge = list(steps)
    while edge:
        further = dict.fromkeys(t for here in edge for t in ways.get(here, ()) if t not in steps)
        steps.update((digest, steps[edge[0]] + 1) for digest in further)
        edge = list(further)
    return steps
