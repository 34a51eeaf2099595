"""What a registry knows that decides what stays: artifacts, parents, answers, versions of aliases, pins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hier_dag.registry import Registry
from hier_dag.registry.aliases import as_utc
from hier_dag.registry.connection import make_engine, patiently
from hier_dag.registry.decisions import PIN, UNPIN
from hier_dag.registry.patience import of_one_try
from hier_dag.registry.tables import (
    AliasRecord,
    ArtifactRecord,
    DecisionRecord,
    ParentRecord,
    RequestRecord,
)


@dataclass(frozen=True)
class Known:
    """An artifact that is on record."""

    kind: str
    partition: str | None
    bytes: int


@dataclass(frozen=True)
class Answer:
    """The newest answer of a kind and partition, on one platform."""

    platform: str
    kind: str
    partition: str | None
    digest: str


@dataclass(frozen=True)
class Version:
    """One version of an alias."""

    platform: str
    domain: str
    alias: str
    version: int
    digest: str
    created_at: datetime


@dataclass(frozen=True)
class Records:
    """All that decides what stays, as it is on record at one moment.

    Attributes:
        artifacts: by digest.
        parents: digests that each artifact was made from.
        newest: newest answer of every platform, kind and partition.
        used_at: when each artifact was made or last asked for, or an alias last left it, UTC.
        versions: every version of every alias, newest first.
        pinned: digests that a pin keeps, and why.
    """

    artifacts: Mapping[str, Known]
    parents: Mapping[str, frozenset[str]]
    newest: tuple[Answer, ...]
    used_at: Mapping[str, datetime]
    versions: tuple[Version, ...]
    pinned: Mapping[str, str]


def records_of(registry: Registry, now: datetime) -> Records:
    """Reads it in one transaction.

    Args:
        registry: of one platform; what other platforms in the same database keep is kept as well.
        now: when pins must hold.

    Raises:
        RegistryError: when the database cannot be read.
    """
    engine = make_engine(registry.url, timeout=of_one_try(registry.timeout))

    def work() -> Records:
        with Session(engine) as session, session.begin():
            return _read(session, now)

    try:
        return patiently(work, registry.url, registry.timeout)
    finally:
        engine.dispose()


def _read(s: Session, now: datetime) -> Records:
    made = s.execute(
        select(
            ArtifactRecord.digest,
            ArtifactRecord.kind,
            ArtifactRecord.partition,
            ArtifactRecord.bytes,
            ArtifactRecord.created_at,
        )
    ).all()
    versions = tuple(_versions(s))
    asked = s.execute(
        select(RequestRecord.digest, func.max(RequestRecord.created_at)).group_by(RequestRecord.digest)
    )
    return Records(
        artifacts={r.digest: Known(r.kind, r.partition, r.bytes) for r in made},
        parents=_parents(s),
        newest=tuple(_newest(s)),
        used_at=_latest([(r.digest, r.created_at) for r in made], asked.tuples(), _left(versions)),
        versions=versions,
        pinned=_pinned(s, now),
    )


def _parents(s: Session) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for child, parent in s.execute(select(ParentRecord.child, ParentRecord.parent)).tuples():
        found[child].add(parent)
    return {child: frozenset(parents) for child, parents in found.items()}


def _newest(s: Session) -> Iterable[Answer]:
    about = (RequestRecord.platform, ArtifactRecord.kind, ArtifactRecord.partition)
    last = (
        select(func.max(RequestRecord.event))
        .join(ArtifactRecord, ArtifactRecord.digest == RequestRecord.digest)
        .group_by(*about)
    )
    query = (
        select(*about, RequestRecord.digest)
        .join(ArtifactRecord, ArtifactRecord.digest == RequestRecord.digest)
        .where(RequestRecord.event.in_(last))
    )
    return (Answer(*row) for row in s.execute(query).tuples())


def _versions(s: Session) -> Iterable[Version]:
    names = (AliasRecord.platform, AliasRecord.domain, AliasRecord.alias)
    query = select(*names, AliasRecord.version, AliasRecord.digest, AliasRecord.created_at)
    for row in s.execute(query.order_by(*names, AliasRecord.version.desc())).tuples():
        yield Version(*row[:5], as_utc(row[5]))


def _left(versions: Iterable[Version]) -> Iterable[tuple[str, datetime]]:
    """When an alias left a set for the next version: its readers may hold it for a while."""
    newer: Version | None = None
    for v in versions:
        if newer is not None and (newer.platform, newer.domain, newer.alias) == (
            v.platform,
            v.domain,
            v.alias,
        ):
            yield v.digest, newer.created_at
        newer = v


def _latest(*times: Iterable[tuple[str, datetime]]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for digest, at in (pair for some in times for pair in some):
        moment = as_utc(at)
        found[digest] = max(moment, found.get(digest, moment))
    return found


def _pinned(s: Session, now: datetime) -> dict[str, str]:
    query = select(DecisionRecord).where(DecisionRecord.kind.in_((PIN, UNPIN)))
    newest: dict[tuple[str, str, str], DecisionRecord] = {}
    for d in s.scalars(query.order_by(DecisionRecord.event)):
        newest[d.platform, d.domain, d.subject] = d
    held = (d for d in newest.values() if d.kind == PIN and (d.until is None or now < as_utc(d.until)))
    return {d.subject: d.why for d in held}
