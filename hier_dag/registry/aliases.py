"""Aliases of published sets: each move is a row with the next version, made by one publisher at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, select

from hier_dag.errors import MovedOn
from hier_dag.registry.chain import event_of
from hier_dag.registry.log import Log
from hier_dag.registry.projections import ALIAS
from hier_dag.registry.tables import AliasRecord, EventRecord

LIVE = "live"
PUBLISH, ROLLBACK = "publish", "rollback"


@dataclass(frozen=True)
class Move:
    """Where an alias is to point, and why.

    Attributes:
        domain: the target domain.
        alias: its name, such as `live`.
        digest: of the published set.
        run_id: of the Dagster run that publishes; empty where a person moves it.
        why: in words.
        action: `publish` or `rollback`.
        change: what becomes of the space: `first`, `same`, `aligned` or `breaking`.
        space: of the set.
        facts: what is worth knowing of the move, as JSON: figures of the comparison, latencies.
        after: version that the alias must still be at, 0 for none; None moves it from wherever it is.
        beyond: a version that readers know already; the move's is higher. It is above the registry's own
            after that was lost or restored.
    """

    domain: str
    alias: str
    digest: str
    run_id: str
    why: str
    action: str = PUBLISH
    change: str = ""
    space: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    after: int | None = None
    beyond: int = 0


@dataclass(frozen=True)
class AliasRow:
    """One move of an alias, as it is on record.

    Attributes:
        event: number of its event in the registry's log.
        hash: that event's hash; empty where it was put on record before there was a chain.
    """

    domain: str
    alias: str
    version: int
    digest: str
    action: str
    change: str
    space: str
    facts: dict[str, Any]
    run_id: str
    who: str
    why: str
    created_at: datetime
    event: int = 0
    hash: str = ""


def move(log: Log, wanted: Move) -> AliasRow:
    """Appends a move with the next version; to publish what is there already changes nothing.

    Raises:
        MovedOn: another publisher moved the alias since `after`.
    """
    query = moves(log.platform, wanted.domain, wanted.alias).limit(1)
    found = log.s.execute(query).tuples().first()
    head = None if found is None else row_of(*found)
    version = 0 if head is None else head.version
    there = head is not None and head.digest == wanted.digest and wanted.action == PUBLISH
    if head is not None and there and wanted.beyond <= version:
        return head
    if wanted.after is not None and wanted.after != version:
        raise MovedOn(
            f"the alias {wanted.alias} is at version {version} by now; this move was prepared at version "
            f"{wanted.after}",
            domain=wanted.domain,
            fix="run again: it is compared with what is live now",
        )
    body = {
        "domain": wanted.domain,
        "alias": wanted.alias,
        "version": max(version, wanted.beyond) + 1,
        "digest": wanted.digest,
        "action": wanted.action,
        "change": wanted.change,
        "space": wanted.space,
        "facts": wanted.facts,
        "why": wanted.why,
    }
    log.append(ALIAS, body, run_id=wanted.run_id)
    return row_of(*log.s.execute(query).tuples().one())


def moves(platform: str, domain: str, alias: str) -> Select[tuple[AliasRecord, str, str]]:
    """Every move of an alias with its event's entry and hash, newest first."""
    query = _with_event().where(
        AliasRecord.platform == platform, AliasRecord.domain == domain, AliasRecord.alias == alias
    )
    return query.order_by(AliasRecord.version.desc())


def heads(platform: str | None) -> Select[tuple[AliasRecord, str, str]]:
    """Where every alias points now, by domain and alias: of one platform, or of all that share a database."""
    newest = func.max(AliasRecord.version).over(
        partition_by=(AliasRecord.platform, AliasRecord.domain, AliasRecord.alias)
    )
    inner = select(AliasRecord.event, AliasRecord.version, newest.label("newest")).subquery()
    query = _with_event().join(inner, inner.c.event == AliasRecord.event)
    query = query.where(inner.c.version == inner.c.newest)
    if platform is not None:
        query = query.where(AliasRecord.platform == platform)
    return query.order_by(AliasRecord.platform, AliasRecord.domain, AliasRecord.alias)


def _with_event() -> Select[tuple[AliasRecord, str, str]]:
    return select(AliasRecord, EventRecord.entry, EventRecord.hash).join(
        EventRecord, EventRecord.seq == AliasRecord.event
    )


def row_of(r: AliasRecord, entry: str, event_hash: str) -> AliasRow:
    """The record as a plain row, facts and all."""
    body = event_of(entry).body
    own = {k: getattr(r, k) for k in AliasRow.__annotations__ if k not in ("facts", "hash", "created_at")}
    # SQLite forgets the zone; all times are written in UTC.
    return AliasRow(
        **own,
        facts=body["facts"],
        hash="" if body.get("imported") else event_hash,
        created_at=as_utc(r.created_at),
    )


def as_utc(moment: datetime) -> datetime:
    """A time of the registry with its zone, which SQLite does not keep."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
