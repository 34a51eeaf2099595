"""What people decided or stated: waivers, approvals, pins and more, each with who, why and until when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, select

from hier_dag.registry.aliases import as_utc
from hier_dag.registry.chain import event_of
from hier_dag.registry.log import Log
from hier_dag.registry.projections import DECISION
from hier_dag.registry.tables import DecisionRecord, EventRecord

WAIVER = "waiver"
"""A model may be published although transfer loses to a baseline; subject: the model's digest."""
APPROVAL = "approval"
"""A set may go live although its space is another one; subject: the set's digest."""
COLLECTED = "collected"
"""An artifact was removed from the store; subject: its digest, domain: its partition, empty without one."""
PIN, UNPIN = "pin", "unpin"
"""A set is kept, or need not be any more; subject: its digest."""


@dataclass(frozen=True)
class Statement:
    """What is to be put on record.

    Attributes:
        domain: the target domain; empty where it is about none.
        kind: such as `waiver`.
        subject: what it is about, a digest.
        why: in words.
        until: when it ends; None where it does not.
        facts: what else is to be said, as JSON.
    """

    domain: str
    kind: str
    subject: str
    why: str
    until: datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What somebody decided, as it is on record.

    Attributes:
        domain: the target domain; empty where it is about none.
        kind: such as `waiver`.
        subject: what it is about, a digest.
        why: in words.
        until: when it ends, UTC; None where it does not.
        who: user name.
        created_at: UTC.
        facts: what else was said.
        event: number of its event in the registry's log.
    """

    domain: str
    kind: str
    subject: str
    why: str
    until: datetime | None
    who: str
    created_at: datetime
    facts: dict[str, Any] = field(default_factory=dict)
    event: int = 0

    def holds(self, at: datetime | None = None) -> bool:
        """Whether it is in force, now or at a time."""
        return self.until is None or (at or datetime.now(UTC)) < self.until


def decide(log: Log, wanted: Statement) -> Decision:
    """Puts a statement of the user whose process this is on record."""
    body = {
        "domain": wanted.domain,
        "kind": wanted.kind,
        "subject": wanted.subject,
        "why": wanted.why,
        "until": None if wanted.until is None else wanted.until.astimezone(UTC).isoformat(),
        "facts": wanted.facts,
    }
    event = log.append(DECISION, body)
    query = decisions(None).where(DecisionRecord.event == event.seq)
    return decision_of(*log.s.execute(query).tuples().one())


def decisions(
    platform: str | None, *, domain: str | None = None, kinds: tuple[str, ...] = ()
) -> Select[tuple[DecisionRecord, str]]:
    """Decisions with their events' entries, newest first: of a platform, a domain, some kinds, or of all."""
    query = select(DecisionRecord, EventRecord.entry).join(
        EventRecord, EventRecord.seq == DecisionRecord.event
    )
    query = query.order_by(DecisionRecord.event.desc())
    if platform is not None:
        query = query.where(DecisionRecord.platform == platform)
    if domain is not None:
        query = query.where(DecisionRecord.domain == domain)
    return query.where(DecisionRecord.kind.in_(kinds)) if kinds else query


def decision_of(r: DecisionRecord, entry: str) -> Decision:
    """The record as a plain decision, facts and all."""
    own = ("domain", "kind", "subject", "why", "who", "event")
    return Decision(
        **{k: getattr(r, k) for k in own},
        until=None if r.until is None else as_utc(r.until),
        created_at=as_utc(r.created_at),
        facts=event_of(entry).body["facts"],
    )
