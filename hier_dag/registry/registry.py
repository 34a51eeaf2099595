"""Reads and writes of the registry, one transaction each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hier_dag.environment import code_commit
from hier_dag.errors import RegistryError
from hier_dag.registry import aliases, decisions, schema
from hier_dag.registry.aliases import LIVE, AliasRow, Move
from hier_dag.registry.artifacts import ArtifactRow, artifact_of, artifact_row_of, environment_of
from hier_dag.registry.chain import Event, Head, event_of
from hier_dag.registry.checks import (
    CheckRow,
    Subject,
    check_row_of,
    checks_of,
    details_naming,
    failed,
    failure_of,
    note,
    redact,
)
from hier_dag.registry.connection import make_engine, patiently
from hier_dag.registry.decisions import Decision, Statement
from hier_dag.registry.log import Log, head_of
from hier_dag.registry.patience import QUESTION, of_one_try, patience
from hier_dag.registry.projections import ARTIFACT, REQUEST
from hier_dag.registry.tables import ArtifactRecord, EventRecord, ParentRecord, RequestRecord
from hier_dag.store.artifact import Artifact

T = TypeVar("T")


class Registry:
    """The registry behind one SQLAlchemy URL.

    Args:
        url: SQLAlchemy URL, such as sqlite:///…/registry.db.
        timeout: seconds to wait for a locked or absent database before a RegistryError; None for what a
            person waits for (`hier_dag.registry.patience`).
        platform: whose requests, checks and aliases these are; several platforms may share a database.
    """

    def __init__(self, url: str, timeout: float | None = None, *, platform: str = "") -> None:
        self.url = url
        self.timeout = patience(QUESTION) if timeout is None else timeout
        self.platform = platform
        self._engine = make_engine(url, timeout=of_one_try(self.timeout))
        # Looked at first, so that opening a registry to read it does not wait for a writer.
        found = self.read(schema.version_of)
        if found is None:
            self._write_tables()
            return
        where = self._engine.url.render_as_string(hide_password=True)
        schema.check_version(found, where)
        lacking = self.read(schema.lacking)
        if lacking:
            raise RegistryError(
                f"the registry lacks {', '.join(lacking)}: somebody changed its tables.",
                file=where,
                fix="restore a backup, or move it away (or set HIER_REGISTRY to another) and run again: the "
                "pipeline is built anew",
            )

    def _run(self, work: Callable[[Session], T], *, writes: bool) -> T:
        engine = self._engine.execution_options(writes=writes)

        def once() -> T:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                return work(session)

        return patiently(once, self.url, self.timeout)

    def read(self, work: Callable[[Session], T]) -> T:
        """What a piece of reading finds, in a transaction of its own, patient with locks."""
        return self._run(work, writes=False)

    def _write_tables(self) -> None:
        self._run(schema.make_tables, writes=True)

    def _write(self, work: Callable[[Log], T]) -> T:
        tried: list[tuple[Head, T]] = []

        def once(s: Session) -> T:
            # A connection may break while a transaction is ending: then it is seen here whether it did.
            for head, result in tried:
                if s.scalar(select(EventRecord.hash).where(EventRecord.seq == head.seq)) == head.hash:
                    return result
            tried.clear()
            log = Log(s, self.platform)
            before = log.head
            result = work(log)
            if log.seal() != before:
                tried.append((log.head, result))
            return result

        return self._run(once, writes=True)

    def record(
        self,
        artifact: Artifact,
        checks: Iterable[CheckRow],
        *,
        run_id: str,
        seconds: float,
        commit: str | None = None,
    ) -> None:
        """Records a committed artifact, its parents, environment and checks, in one transaction.

        Recording the same digest again adds only the request and the checks.

        Args:
            artifact: it.
            checks: that it passed.
            run_id: of the run that made it.
            seconds: that it took.
            commit: of the code that made it; None for this process's.
        """
        m, told = artifact.manifest, list(checks)
        about = Subject(artifact.digest, m.request_key, m.kind, m.partition)

        def work(log: Log) -> None:
            log.run(run_id)
            log.environment(m.environment, run_id)
            if log.s.get(ArtifactRecord, artifact.digest) is None:
                body = {
                    "digest": artifact.digest,
                    "manifest": m.model_dump(),
                    "code_commit": code_commit() if commit is None else commit,
                    "seconds": seconds,
                }
                log.append(ARTIFACT, body, run_id=run_id)
            answer = {"request_key": m.request_key, "digest": artifact.digest}
            log.append(REQUEST, answer, run_id=run_id)
            note(log, about, told, run_id)

        self._write(work)

    def note_checks(self, artifact: Artifact, checks: Iterable[CheckRow], *, run_id: str) -> None:
        """Records further checks of an artifact that is on record: what was asked before it went live."""
        m, told = artifact.manifest, list(checks)
        about = Subject(artifact.digest, m.request_key, m.kind, m.partition)

        def work(log: Log) -> None:
            log.run(run_id)
            note(log, about, told, run_id)

        self._write(work)

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
        about, told = Subject(None, request_key, kind, partition), list(checks)

        def work(log: Log) -> None:
            log.run(run_id)
            note(log, about, told, run_id)

        self._write(work)

    def find(self, request_key: str) -> str | None:
        """Digest of the newest artifact that answered a request, if one did."""
        query = select(RequestRecord.digest).where(
            RequestRecord.request_key == request_key, RequestRecord.platform == self.platform
        )
        return self.read(lambda s: s.scalar(query.order_by(RequestRecord.event.desc()).limit(1)))

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
            .order_by(RequestRecord.event.desc())
            .limit(1)
        )
        return self.read(lambda s: s.scalar(query))

    def asked_at(self, digest: str) -> int:
        """Number of the event of an artifact's newest request; 0 where it answered none."""
        query = select(func.max(RequestRecord.event)).where(
            RequestRecord.digest == digest, RequestRecord.platform == self.platform
        )
        return self.read(lambda s: s.scalar(query) or 0)

    def artifact(self, digest: str) -> ArtifactRow | None:
        """One artifact's record."""

        def work(s: Session) -> ArtifactRow | None:
            found = s.execute(artifact_of(digest)).tuples().first()
            return None if found is None else artifact_row_of(*found)

        return self.read(work)

    def environment(self, digest: str) -> dict[str, Any] | None:
        """Facts of an environment: Python, machine, distributions; None where it is not on record."""
        entry = self.read(lambda s: s.scalar(environment_of(digest)))
        return None if entry is None else dict(event_of(entry).body["facts"])

    def parents(self, digest: str) -> dict[str, str]:
        """Digest of each parent by role."""
        query = select(ParentRecord.role, ParentRecord.parent).where(ParentRecord.child == digest)
        return self.read(lambda s: {role: parent for role, parent in s.execute(query).all()})

    def checks(self, digest: str) -> list[CheckRow]:
        """Checks recorded for an artifact, oldest first."""
        query = checks_of(digest)
        return self.read(lambda s: [check_row_of(*found) for found in s.execute(query).tuples()])

    def failures(self, kind: str | None = None, partition: str | None = None) -> list[dict[str, Any]]:
        """Failed checks, newest first: kind, partition, name, facts, run_id, created_at."""
        query = failed(self.platform, kind, partition)
        return self.read(lambda s: [failure_of(*found) for found in s.execute(query).tuples()])

    def move_alias(self, wanted: Move) -> AliasRow:
        """Appends a move of an alias with the next version, after any other publisher of that alias.

        Raises:
            MovedOn: the alias is not where the move expects it.
        """
        (row,) = self.move_together([wanted])
        return row

    def move_together(self, wanted: Sequence[Move], statements: Sequence[Statement] = ()) -> list[AliasRow]:
        """Moves several aliases and puts statements on record, all of it or nothing.

        Raises:
            MovedOn: an alias is not where its move expects it; nothing moved.
        """

        def work(log: Log) -> list[AliasRow]:
            for run_id in sorted({move.run_id for move in wanted}):
                log.run(run_id)
            rows = [aliases.move(log, move) for move in wanted]
            for statement in statements:
                decisions.decide(log, statement)
            return rows

        return self._write(work)

    def alias(self, domain: str, alias: str = LIVE) -> AliasRow | None:
        """Where an alias points now."""
        query = aliases.moves(self.platform, domain, alias).limit(1)

        def work(s: Session) -> AliasRow | None:
            head = s.execute(query).tuples().first()
            return None if head is None else aliases.row_of(*head)

        return self.read(work)

    def alias_history(self, domain: str, alias: str = LIVE) -> list[AliasRow]:
        """Every move of an alias, newest first."""
        query = aliases.moves(self.platform, domain, alias)
        return self.read(lambda s: [aliases.row_of(*r) for r in s.execute(query).tuples()])

    def all_aliases(self, *, every_platform: bool = False) -> list[AliasRow]:
        """Where every alias points now, of this platform or of all that share the database."""
        query = aliases.heads(None if every_platform else self.platform)
        return self.read(lambda s: [aliases.row_of(*r) for r in s.execute(query).tuples()])

    def decide(
        self,
        domain: str,
        kind: str,
        subject: str,
        *,
        why: str,
        until: datetime | None = None,
        facts: dict[str, Any] | None = None,
    ) -> Decision:
        """Puts a decision of the user on record; see `hier_dag.registry.decisions` for kinds and subjects."""
        wanted = Statement(domain, kind, subject, why, until, facts or {})
        return self._write(lambda log: decisions.decide(log, wanted))

    def decisions(
        self, *, domain: str | None = None, kinds: tuple[str, ...] = (), every_platform: bool = False
    ) -> list[Decision]:
        """Decisions on record, newest first."""
        query = decisions.decisions(None if every_platform else self.platform, domain=domain, kinds=kinds)
        return self.read(lambda s: [decisions.decision_of(*r) for r in s.execute(query).tuples()])

    def head(self) -> Head:
        """Where the log ends: number and hash of the newest event."""
        return self.read(head_of)

    def events(self, *, after: int = 0, kinds: tuple[str, ...] = (), limit: int | None = None) -> list[Event]:
        """Events of all platforms in the database, oldest first.

        Args:
            after: number of the last event that is not wanted.
            kinds: of events; empty for all.
            limit: how many at most.
        """
        query = select(EventRecord.entry).where(EventRecord.seq > after).order_by(EventRecord.seq)
        if kinds:
            query = query.where(EventRecord.kind.in_(kinds))
        return self.read(lambda s: [event_of(e) for e in s.scalars(query.limit(limit))])

    def details_naming(self, text: str) -> list[str]:
        """Digests of checks' facts in which a text occurs, such as an id; those that were redacted do not."""
        return self.read(lambda s: list(s.scalars(details_naming(text))))

    def redact(self, details: Sequence[str], *, why: str) -> Event:
        """Takes checks' facts away for good; the log goes on proving that they were there, and who did it.

        Args:
            details: digests of the facts.
            why: in words.
        """
        return self._write(lambda log: redact(log, details, why))

    def count(self) -> int:
        """Number of artifacts."""
        return self.read(lambda s: s.scalar(select(func.count()).select_from(ArtifactRecord)) or 0)

    def close(self) -> None:
        """Gives the connections back."""
        self._engine.dispose()
