"""What differs between two artifacts of one kind and everything that they were made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from hier_dag.errors import UsageError
from hier_dag.lineage.dotted import Change, changes
from hier_dag.lineage.environments import environments_changed
from hier_dag.lineage.files_changed import FileChange, files_changed
from hier_dag.lineage.records import known
from hier_dag.lineage.reference import Reference
from hier_dag.lineage.release import decided
from hier_dag.lineage.report_changes import MetricChange, metrics_changed
from hier_dag.lineage.trace import ANCHOR, steps_from
from hier_dag.lineage.versions import Version, versions_among
from hier_dag.pipeline.stages import MODEL
from hier_dag.publish.gates import EVERY_MODEL
from hier_dag.registry import ArtifactRow, Decision, Registry
from hier_dag.registry.walk import Node, ancestors, just, reached
from hier_dag.store import ArtifactStore


@dataclass(frozen=True)
class Pair:
    """An artifact of one side and what stands in its place on the other; None where nothing does.

    Attributes:
        title: how a person calls it, such as `raw/events[cafe]`.
        before: record of the one.
        after: record of the other.
        parameters: parameters that differ.
        seeds: seeds before and after, where they differ.
        summary: figures of the manifests' summaries that differ: rows, nodes, edges, losses.
    """

    title: str
    before: ArtifactRow | None
    after: ArtifactRow | None
    parameters: list[Change]
    seeds: tuple[list[int], list[int]] | None
    summary: list[Change]

    def as_json(self) -> dict[str, Any]:
        """As a JSON-serialisable record."""
        sides = {side: _side(getattr(self, side)) for side in ("before", "after")}
        told = {name: [asdict(c) for c in getattr(self, name)] for name in ("parameters", "summary")}
        return {"title": self.title, **sides, **told, "seeds": self.seeds}


@dataclass(frozen=True)
class Difference:
    """What differs.

    Attributes:
        before: the one.
        after: the other.
        same: how many artifacts both were made of.
        pairs: artifacts that differ, those made last first.
        files: raw files that were added, removed or changed.
        environment: what was installed and ran, by name.
        metrics: figures of the report cards.
        versions: of aliases that name the one and the other.
        decisions: about their sets and models, the newest first.
    """

    before: Reference
    after: Reference
    same: int
    pairs: list[Pair]
    files: list[FileChange]
    environment: list[Change]
    metrics: list[MetricChange]
    versions: tuple[list[Version], list[Version]]
    decisions: tuple[list[Decision], list[Decision]]

    def as_json(self) -> dict[str, Any]:
        """As a JSON-serialisable record."""
        return {
            "before": asdict(self.before),
            "after": asdict(self.after),
            "same": self.same,
            "artifacts": [p.as_json() for p in self.pairs],
            "files": [asdict(f) for f in self.files],
            "environment": [asdict(c) for c in self.environment],
            "metrics": [m.as_json() for m in self.metrics],
            "versions": _sides([[v.as_json() for v in side] for side in self.versions]),
            "decisions": _sides([[decided(d) for d in side] for side in self.decisions]),
        }


def difference(
    registry: Registry, stores: Mapping[str, ArtifactStore], before: Reference, after: Reference
) -> Difference:
    """Pairs the artifacts behind two of one kind and compares them.

    Args:
        registry: where they are on record.
        stores: by platform; rows of files and report cards are read there, as far as they are still stored.
        before: the one.
        after: the other.

    Raises:
        UsageError: they are of different kinds.
        StoreError: something on the way is not on record, or is damaged.
    """
    if before.kind != after.kind:
        raise UsageError(
            f"{before} and {after} are of different kinds.", fix="compare two artifacts of one kind"
        )
    one, other = _made_of(registry, before), _made_of(registry, after)
    paired = list(_paired(one, other))
    differ = [(a, b) for a, b in paired if a is None or b is None or a.digest != b.digest]
    digests = {node.digest for sides in differ for node in sides if node is not None}
    rows = registry.read(lambda s: known(s, digests))
    pairs = sorted((_compare(rows, a, b) for a, b in differ), key=_newest_first)
    return Difference(
        before,
        after,
        len(paired) - len(differ),
        pairs,
        [change for p in pairs for change in files_changed(stores, p.before, p.after)],
        environments_changed(registry, [(p.before, p.after) for p in pairs]),
        [m for p in pairs if p.title.startswith(MODEL) for m in metrics_changed(stores, p.before, p.after)],
        (_versions(registry, before), _versions(registry, after)),
        (_decisions(registry, before, one), _decisions(registry, after, other)),
    )


def _made_of(registry: Registry, of: Reference) -> dict[tuple[str, str | None], list[Node]]:
    """Artifacts behind one, by kind and partition, nearest first. Its own domain is None for what it made."""
    walk = registry.read(lambda s: ancestors(s, of.digest, but_roles=(ANCHOR,)))
    steps = steps_from([of.digest], walk.edges, up=True)
    found: dict[tuple[str, str | None], list[Node]] = {}
    for node in sorted(walk.nodes.values(), key=lambda n: (steps[n.digest], n.event)):
        own = node.partition == of.partition and not node.kind.startswith("raw/")
        found.setdefault((node.kind, None if own else node.partition), []).append(node)
    return found


def _paired(
    one: Mapping[tuple[str, str | None], list[Node]], other: Mapping[tuple[str, str | None], list[Node]]
) -> Iterator[tuple[Node | None, Node | None]]:
    for key in dict.fromkeys((*one, *other)):
        yield from zip_longest(one.get(key, []), other.get(key, []))


def _compare(rows: Mapping[str, ArtifactRow], one: Node | None, other: Node | None) -> Pair:
    before = None if one is None else rows[one.digest]
    after = None if other is None else rows[other.digest]
    named = other or one
    assert named is not None
    if before is None or after is None:
        return Pair(named.title, before, after, [], None, [])
    old, new = before.manifest, after.manifest
    seeds = None if old["seeds"] == new["seeds"] else (old["seeds"], new["seeds"])
    return Pair(
        named.title,
        before,
        after,
        changes(old["params"], new["params"]),
        seeds,
        changes(old["summary"], new["summary"]),
    )


def _newest_first(pair: Pair) -> int:
    return -max(row.event for row in (pair.before, pair.after) if row is not None)


def _versions(registry: Registry, of: Reference) -> list[Version]:
    return registry.read(lambda s: versions_among(s, reached(just(of.digest), depth=0)))


def _decisions(
    registry: Registry, of: Reference, made_of: Mapping[tuple[str, str | None], list[Node]]
) -> list[Decision]:
    if of.partition is None:
        return []
    about = {of.digest, EVERY_MODEL, *(n.digest for n in made_of.get((MODEL, None), []))}
    return [d for d in registry.decisions(domain=of.partition) if d.subject in about]


def _side(row: ArtifactRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    told = {key: getattr(row, key) for key in ("digest", "code_version", "code_commit", "environment", "who")}
    return {**told, "created_at": row.created_at.isoformat()}


def _sides(both: list[list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return dict(zip(("before", "after"), both, strict=True))
