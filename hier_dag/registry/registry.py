"""Reads and writes of the registry, one transaction each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import func, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hier_dag.environment import code_commit, environment
from hier_dag.errors import RegistryError
from hier_dag.registry import aliases, decisions
from hier_dag.registry.aliases import LIVE, AliasRow, Move
from hier_dag.registry.connection import make_engine, one_at_a_time, patiently
from hier_dag.registry.decisions import Decision
from hier_dag.registry.tables import (
    ArtifactRecord,
    Base,
    CheckRecord,
    EnvironmentRecord,
    ParentRecord,
    RequestRecord,
)
from hier_dag.store.artifact import Artifact

T = TypeVar("T")


@dataclass(frozen=True)
class CheckRow:
    """The result of one check: what was asked, whether it held, the facts behind it."""

    name: str
    passed: bool
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ArtifactRow:
    """A registered artifact, with what the manifest deliberately leaves out."""

    digest: str
    kind: str
    partition: str | None
    code_version: str
    code_commit: str
    environment: str
    run_id: str
    created_at: datetime
    seconds: float
    bytes: int
    manifest: dict[str, Any]


class Registry:
    """The registry behind one SQLAlchemy URL.

    Args:
        url: SQLAlchemy URL, such as sqlite:///…/registry.db.
        timeout: seconds to wait for a locked or absent database before a RegistryError.
        platform: whose requests, checks and aliases these are; several platforms may share a database.
    """

    def __init__(self, url: str, timeout: float = 30.0, *, platform: str = "") -> None:
        self.url = url
        self.timeout = timeout
        self.platform = platform
        # One try waits a tenth of the patience, so that back-off gets its turns.
        self._engine = make_engine(url, timeout=max(0.05, timeout / 10))
        # Looked at first, so that opening a registry to read it does not wait for a writer.
        lacking = self._read(_lacking)
        if lacking:
            raise RegistryError(
                f"the registry was made by another version of hier_dag: it lacks {', '.join(lacking)}.",
                file=self._engine.url.render_as_string(hide_password=True),
                fix="use the version that made it, or move it away (or set HIER_REGISTRY to another) and run "
                "again: the pipeline is built anew",
            )
        known = self._read(lambda s: set(inspect(s.connection()).get_table_names()))
        if not known >= set(Base.metadata.tables):
            self._write(_make_tables)

    def _run(self, work: Callable[[Session], T], *, writes: bool) -> T:
        engine = self._engine.execution_options(writes=writes)

        def once() -> T:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                return work(session)

        return patiently(once, self.url, self.timeout)

    def _read(self, work: Callable[[Session], T]) -> T:
        return self._run(work, writes=False)

    def _write(self, work: Callable[[Session], T]) -> T:
        return self._run(work, writes=True)

    def record(self, artifact: Artifact, checks: Iterable[CheckRow], *, run_id: str, seconds: float) -> None:
        """Records a committed artifact, its parents, environment and checks, in one transaction.

        Recording the same digest again adds only the request and the checks.
        """
        m = artifact.manifest
        now = datetime.now(UTC)

        def work(s: Session) -> None:
            _add_once(s, EnvironmentRecord(digest=m.environment, facts=environment()))
            made = ArtifactRecord(
                digest=artifact.digest,
                kind=m.kind,
                partition=m.partition,
                request_key=m.request_key,
                code_version=m.code_version,
                code_commit=code_commit(),
                environment=m.environment,
                run_id=run_id,
                created_at=now,
                seconds=seconds,
                bytes=sum(f.bytes for f in m.files),
                manifest=m.model_dump(),
            )
            if _add_once(s, made):
                s.add_all(ParentRecord(child=artifact.digest, role=r, parent=d) for r, d in m.parents.items())
            s.add(
                RequestRecord(
                    platform=self.platform,
                    request_key=m.request_key,
                    digest=artifact.digest,
                    run_id=run_id,
                    created_at=now,
                )
            )
            about = (m.request_key, m.kind, m.partition)
            s.add_all(_checks(self.platform, artifact, *about, checks, run_id, now))

        self._write(work)

    def note_checks(self, artifact: Artifact, checks: Iterable[CheckRow], *, run_id: str) -> None:
        """Records further checks of an artifact that is on record: what was asked before it went live."""
        m, now = artifact.manifest, datetime.now(UTC)
        rows = _checks(self.platform, artifact, m.request_key, m.kind, m.partition, checks, run_id, now)
        self._write(lambda s: s.add_all(rows))

    def record_failure(
        self,
        kind: str,
        partition: str | None,
        request_key: str,
        checks: Iterable[CheckRow],
        *,
        run_id: str,
    ) -> None:
        """Records the checks of work that was refused: no artifact exists."""
        now = datetime.now(UTC)
        rows = _checks(self.platform, None, request_key, kind, partition, checks, run_id, now)
        self._write(lambda s: s.add_all(rows))

    def find(self, request_key: str) -> str | None:
        """Digest of the newest artifact that answered a request, if one did."""
        query = select(RequestRecord.digest).where(
            RequestRecord.request_key == request_key, RequestRecord.platform == self.platform
        )
        return self._read(lambda s: s.scalar(query.order_by(RequestRecord.id.desc()).limit(1)))

    def latest(self, kind: str, partition: str | None) -> str | None:
        """Digest of the artifact that was last asked for, of a kind and partition."""
        query = (
            select(RequestRecord.digest)
            .join(ArtifactRecord, ArtifactRecord.digest == RequestRecord.digest)
            .where(
                RequestRecord.platform == self.platform,
                ArtifactRecord.kind == kind,
                ArtifactRecord.partition.is_not_distinct_from(partition),
            )
            .order_by(RequestRecord.id.desc())
            .limit(1)
        )
        return self._read(lambda s: s.scalar(query))

    def asked_at(self, digest: str) -> int:
        """Place of an artifact's newest request among all requests; 0 where it answered none."""
        query = select(func.max(RequestRecord.id)).where(
            RequestRecord.digest == digest, RequestRecord.platform == self.platform
        )
        return self._read(lambda s: s.scalar(query) or 0)

    def artifact(self, digest: str) -> ArtifactRow | None:
        """One artifact's record."""

        def work(s: Session) -> ArtifactRow | None:
            r = s.get(ArtifactRecord, digest)
            return (
                None if r is None else ArtifactRow(**{k: getattr(r, k) for k in ArtifactRow.__annotations__})
            )

        return self._read(work)

    def parents(self, digest: str) -> dict[str, str]:
        """Digest of each parent by role."""
        query = select(ParentRecord.role, ParentRecord.parent).where(ParentRecord.child == digest)
        return self._read(lambda s: {role: parent for role, parent in s.execute(query).all()})

    def checks(self, digest: str) -> list[CheckRow]:
        """Checks recorded for an artifact, oldest first."""
        query = select(CheckRecord).where(CheckRecord.artifact == digest).order_by(CheckRecord.id)
        return self._read(lambda s: [CheckRow(c.name, c.passed, c.facts) for c in s.scalars(query)])

    def failures(self, kind: str | None = None, partition: str | None = None) -> list[dict[str, Any]]:
        """Failed checks, newest first: kind, partition, name, facts, run_id, created_at."""
        query = (
            select(CheckRecord)
            .where(CheckRecord.passed.is_(False), CheckRecord.platform == self.platform)
            .order_by(CheckRecord.id.desc())
        )
        if kind is not None:
            query = query.where(CheckRecord.kind == kind)
        if partition is not None:
            query = query.where(CheckRecord.partition == partition)
        keys = ("kind", "partition", "name", "facts", "run_id", "created_at")
        return self._read(lambda s: [{k: getattr(c, k) for k in keys} for c in s.scalars(query)])

    def move_alias(self, wanted: Move) -> AliasRow:
        """Appends a move of an alias with the next version, after any other publisher of that alias.

        Raises:
            MovedOn: the alias is not where the move expects it.
        """
        return self._write(lambda s: aliases.move(s, self.platform, wanted))

    def alias(self, domain: str, alias: str = LIVE) -> AliasRow | None:
        """Where an alias points now."""

        def work(s: Session) -> AliasRow | None:
            head = s.scalars(aliases.moves(self.platform, domain, alias).limit(1)).first()
            return None if head is None else aliases.row_of(head)

        return self._read(work)

    def alias_history(self, domain: str, alias: str = LIVE) -> list[AliasRow]:
        """Every move of an alias, newest first."""
        query = aliases.moves(self.platform, domain, alias)
        return self._read(lambda s: [aliases.row_of(r) for r in s.scalars(query)])

    def all_aliases(self, *, every_platform: bool = False) -> list[AliasRow]:
        """Where every alias points now, of this platform or of all that share the database."""
        query = aliases.heads(None if every_platform else self.platform)
        return self._read(lambda s: [aliases.row_of(r) for r in s.scalars(query)])

    def decide(
        self, domain: str, kind: str, subject: str, *, why: str, until: datetime | None = None
    ) -> Decision:
        """Puts a decision of the user on record; see `hier_dag.registry.decisions` for kinds and subjects."""

        def work(s: Session) -> Decision:
            record = decisions.record_of(self.platform, domain, kind, subject, why, until)
            s.add(record)
            s.flush()
            return decisions.decision_of(record)

        return self._write(work)

    def decisions(
        self, *, domain: str | None = None, kinds: tuple[str, ...] = (), every_platform: bool = False
    ) -> list[Decision]:
        """Decisions on record, newest first."""
        query = decisions.decisions(None if every_platform else self.platform, domain=domain, kinds=kinds)
        return self._read(lambda s: [decisions.decision_of(r) for r in s.scalars(query)])

    def count(self) -> int:
        """Number of artifacts."""
        return self._read(lambda s: s.scalar(select(func.count()).select_from(ArtifactRecord)) or 0)

    def close(self) -> None:
        """Gives the connections back."""
        self._engine.dispose()


def _make_tables(s: Session) -> None:
    one_at_a_time(s, "tables")  # Postgres refuses one of two that make the same table
    Base.metadata.create_all(s.connection())


def _add_once(s: Session, record: ArtifactRecord | EnvironmentRecord) -> bool:
    """Adds a record unless one of its digest is there; others may be adding it at this moment.

    Returns:
        Whether it was added.
    """
    if s.get(type(record), record.digest) is not None:
        return False
    try:
        with s.begin_nested():
            s.add(record)
    except IntegrityError:
        return False
    return True


def _lacking(s: Session) -> list[str]:
    """Columns that tables of ours do not have; a table that is not there at all is simply made."""
    there = inspect(s.connection())
    made = set(there.get_table_names()) & set(Base.metadata.tables)
    return [
        f"{name}.{column}"
        for name in sorted(made)
        for column in sorted(
            set(Base.metadata.tables[name].columns.keys()) - {c["name"] for c in there.get_columns(name)}
        )
    ]


def _checks(
    platform: str,
    artifact: Artifact | None,
    request_key: str,
    kind: str,
    partition: str | None,
    checks: Iterable[CheckRow],
    run_id: str,
    now: datetime,
) -> list[CheckRecord]:
    return [
        CheckRecord(
            platform=platform,
            artifact=None if artifact is None else artifact.digest,
            request_key=request_key,
            kind=kind,
            partition=partition,
            name=c.name,
            passed=c.passed,
            facts=c.facts,
            run_id=run_id,
            created_at=now,
        )
        for c in checks
    ]
