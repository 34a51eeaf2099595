"""Decisions of people about publication: waivers, approvals and pins, each with who, why and until when."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, select

from hier_dag.registry.aliases import as_utc
from hier_dag.registry.tables import DecisionRecord

WAIVER = "waiver"
"""A model may be published although transfer loses to a baseline; subject: the model's digest."""
APPROVAL = "approval"
"""A set may go live although its space is another one; subject: the set's digest."""
COLLECTED = "collected"
"""An artifact was removed from the store; subject: its digest, domain: its partition, empty without one."""
PIN, UNPIN = "pin", "unpin"
"""A set is kept, or need not be any more; subject: its digest."""


@dataclass(frozen=True)
class Decision:
    """What somebody decided.

    Attributes:
        domain: the target domain.
        kind: `waiver`, `approval`, `pin` or `unpin`.
        subject: what it is about, a digest.
        why: in words.
        until: when it ends, UTC; None where it does not.
        who: user name.
        created_at: UTC.
    """

    domain: str
    kind: str
    subject: str
    why: str
    until: datetime | None
    who: str
    created_at: datetime

    def holds(self, at: datetime | None = None) -> bool:
        """Whether it is in force, now or at a time."""
        return self.until is None or (at or datetime.now(UTC)) < self.until


def record_of(
    platform: str, domain: str, kind: str, subject: str, why: str, until: datetime | None
) -> DecisionRecord:
    """A decision made now, by the user whose process this is."""
    return DecisionRecord(
        platform=platform,
        domain=domain,
        kind=kind,
        subject=subject,
        who=getpass.getuser(),
        why=why,
        until=None if until is None else until.astimezone(UTC),
        created_at=datetime.now(UTC),
    )


def decisions(
    platform: str | None, *, domain: str | None = None, kinds: tuple[str, ...] = ()
) -> Select[tuple[DecisionRecord]]:
    """Decisions, newest first: of a platform or of all, of a domain or of all, of some kinds or of all."""
    query = select(DecisionRecord).order_by(DecisionRecord.id.desc())
    if platform is not None:
        query = query.where(DecisionRecord.platform == platform)
    if domain is not None:
        query = query.where(DecisionRecord.domain == domain)
    return query.where(DecisionRecord.kind.in_(kinds)) if kinds else query


def decision_of(r: DecisionRecord) -> Decision:
    """The record as a plain decision."""
    values = {k: getattr(r, k) for k in Decision.__annotations__}
    values["created_at"] = as_utc(r.created_at)
    values["until"] = None if r.until is None else as_utc(r.until)
    return Decision(**values)
