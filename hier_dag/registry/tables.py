"""The registry's tables. Append-only: nothing here is updated or deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of the registry's tables."""

    type_annotation_map = {dict[str, Any]: JSON}  # noqa: RUF012


class ArtifactRecord(Base):
    """One committed artifact."""

    __tablename__ = "artifacts"
    digest: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    partition: Mapped[str | None]
    request_key: Mapped[str] = mapped_column(index=True)
    code_version: Mapped[str]
    code_commit: Mapped[str]
    environment: Mapped[str] = mapped_column(ForeignKey("environments.digest"))
    run_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seconds: Mapped[float]
    bytes: Mapped[int]
    manifest: Mapped[dict[str, Any]]


class ParentRecord(Base):
    """An artifact was made from another."""

    __tablename__ = "parents"
    child: Mapped[str] = mapped_column(ForeignKey("artifacts.digest"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    parent: Mapped[str] = mapped_column(index=True)


class RequestRecord(Base):
    """A request was answered by an artifact; several requests may share one."""

    __tablename__ = "requests"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    platform: Mapped[str]
    request_key: Mapped[str] = mapped_column(index=True)
    digest: Mapped[str] = mapped_column(ForeignKey("artifacts.digest"))
    run_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class EnvironmentRecord(Base):
    """An environment that made artifacts."""

    __tablename__ = "environments"
    digest: Mapped[str] = mapped_column(primary_key=True)
    facts: Mapped[dict[str, Any]]


class CheckRecord(Base):
    """One result of one check; `artifact` is null where the failure kept it from being committed."""

    __tablename__ = "checks"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    platform: Mapped[str]
    artifact: Mapped[str | None] = mapped_column(index=True)
    request_key: Mapped[str]
    kind: Mapped[str]
    partition: Mapped[str | None]
    name: Mapped[str]
    passed: Mapped[bool]
    facts: Mapped[dict[str, Any]]
    run_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class DecisionRecord(Base):
    """Somebody decided something about a domain's publication; the newest of a kind and subject counts."""

    __tablename__ = "decisions"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    platform: Mapped[str]
    domain: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    who: Mapped[str]
    why: Mapped[str]
    until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class AliasRecord(Base):
    """An alias of a domain moved to a published set; the newest version is the one in force."""

    __tablename__ = "aliases"
    __table_args__ = (UniqueConstraint("platform", "domain", "alias", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    platform: Mapped[str]
    domain: Mapped[str]
    alias: Mapped[str]
    version: Mapped[int]
    digest: Mapped[str]
    action: Mapped[str]
    change: Mapped[str]
    space: Mapped[str]
    facts: Mapped[dict[str, Any]]
    run_id: Mapped[str]
    who: Mapped[str]
    why: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
