"""The registry's tables: a log of events, and index tables that follow from it.

`events` is the record; all other tables are projections of it (`hier_dag.registry.projections`), there to be
searched. Nothing is updated or deleted, but for details that a redaction takes away.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Index, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Moment = DateTime(timezone=True)
Seq = BigInteger()


class Base(DeclarativeBase):
    """Base of the registry's tables."""


class EventRecord(Base):
    """One event of the log; `entry` is what the hash is of, the other columns repeat it for queries."""

    __tablename__ = "events"
    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=False)
    hash: Mapped[str]
    platform: Mapped[str]
    kind: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    who: Mapped[str]
    run_id: Mapped[str]
    entry: Mapped[str] = mapped_column(Text)
    signature: Mapped[str | None]


class DetailRecord(Base):
    """Facts of a check, apart from the log: they may show rows, which a redaction must be able to remove."""

    __tablename__ = "details"
    digest: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str | None] = mapped_column(Text)


class RunRecord(Base):
    """A run that put something on record."""

    __tablename__ = "runs"
    event: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=False)
    platform: Mapped[str]
    run_id: Mapped[str] = mapped_column(index=True)


class EnvironmentRecord(Base):
    """An environment that made artifacts."""

    __tablename__ = "environments"
    digest: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[int] = mapped_column(Seq, index=True)


class ArtifactRecord(Base):
    """One committed artifact."""

    __tablename__ = "artifacts"
    digest: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[int] = mapped_column(Seq, index=True)
    kind: Mapped[str] = mapped_column(index=True)
    partition: Mapped[str | None]
    request_key: Mapped[str] = mapped_column(index=True)
    code_version: Mapped[str]
    code_commit: Mapped[str]
    environment: Mapped[str]
    run_id: Mapped[str]
    who: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Moment)
    seconds: Mapped[float]
    bytes: Mapped[int] = mapped_column(BigInteger)


class ParentRecord(Base):
    """An artifact was made from another."""

    __tablename__ = "parents"
    __table_args__ = (Index("ix_parents_parent", "parent", "child", "role"),)
    child: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    parent: Mapped[str]
    event: Mapped[int] = mapped_column(Seq, index=True)


class InputRecord(Base):
    """A raw file was read for an artifact."""

    __tablename__ = "inputs"
    event: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    artifact: Mapped[str]
    location: Mapped[str] = mapped_column(index=True)
    sha256: Mapped[str] = mapped_column(index=True)


class RequestRecord(Base):
    """A request was answered by an artifact; several requests may share one."""

    __tablename__ = "requests"
    event: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=False)
    platform: Mapped[str]
    request_key: Mapped[str] = mapped_column(index=True)
    digest: Mapped[str] = mapped_column(index=True)
    run_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Moment)


class CheckRecord(Base):
    """One result of one check; `artifact` is null where the failure kept it from being committed."""

    __tablename__ = "checks"
    __table_args__ = (Index("ix_checks_failed", "platform", "passed"),)
    event: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    platform: Mapped[str]
    artifact: Mapped[str | None] = mapped_column(index=True)
    request_key: Mapped[str]
    kind: Mapped[str]
    partition: Mapped[str | None]
    name: Mapped[str]
    passed: Mapped[bool]
    facts: Mapped[str]
    run_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Moment)


class DecisionRecord(Base):
    """Somebody decided something about a domain's publication; the newest of a kind and subject counts."""

    __tablename__ = "decisions"
    event: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=False)
    platform: Mapped[str]
    domain: Mapped[str]
    kind: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str] = mapped_column(index=True)
    who: Mapped[str]
    why: Mapped[str]
    until: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)


class AliasRecord(Base):
    """An alias of a domain moved to a published set; the newest version is the one in force."""

    __tablename__ = "aliases"
    __table_args__ = (UniqueConstraint("platform", "domain", "alias", "version"),)
    event: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=False)
    platform: Mapped[str]
    domain: Mapped[str]
    alias: Mapped[str]
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(index=True)
    action: Mapped[str]
    change: Mapped[str]
    space: Mapped[str]
    run_id: Mapped[str]
    who: Mapped[str]
    why: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Moment)


PROJECTIONS: tuple[type[Base], ...] = (
    RunRecord,
    EnvironmentRecord,
    ArtifactRecord,
    ParentRecord,
    InputRecord,
    RequestRecord,
    CheckRecord,
    DecisionRecord,
    AliasRecord,
)
"""Tables that follow from the log alone."""
