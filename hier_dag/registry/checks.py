"""Checks: what was asked of an artifact, whether it held, and the facts, which a redaction can take away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select

from hier_dag.registry.chain import Event, ascii_json
from hier_dag.registry.log import Log
from hier_dag.registry.projections import CHECKS, REDACTION
from hier_dag.registry.tables import CheckRecord, DetailRecord

_OF_A_FAILURE = ("kind", "partition", "name", "run_id", "created_at")


@dataclass(frozen=True)
class CheckRow:
    """The result of one check: what was asked, whether it held, the facts behind it."""

    name: str
    passed: bool
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """What checks are about.

    Attributes:
        artifact: its digest; None where the failure kept it from being committed.
        request_key: of the request.
        kind: of artifact.
        partition: domain, or None.
    """

    artifact: str | None
    request_key: str
    kind: str
    partition: str | None


def note(log: Log, about: Subject, checks: Sequence[CheckRow], run_id: str) -> None:
    """Puts the results of checks on record, together; none of them is no event."""
    if not checks:
        return
    told = [{"name": c.name, "passed": bool(c.passed), "facts": log.detail(c.facts)} for c in checks]
    body = {
        "artifact": about.artifact,
        "request_key": about.request_key,
        "kind": about.kind,
        "partition": about.partition,
        "checks": told,
    }
    log.append(CHECKS, body, run_id=run_id)


def checks_of(digest: str) -> Select[tuple[CheckRecord, str | None]]:
    """Checks of an artifact with their facts, oldest first."""
    return (
        _with_facts().where(CheckRecord.artifact == digest).order_by(CheckRecord.event, CheckRecord.position)
    )


def failed(platform: str, kind: str | None, partition: str | None) -> Select[tuple[CheckRecord, str | None]]:
    """Failed checks with their facts, newest first: of a kind and a partition, or of all."""
    query = (
        _with_facts()
        .where(CheckRecord.passed.is_(False), CheckRecord.platform == platform)
        .order_by(CheckRecord.event.desc(), CheckRecord.position.desc())
    )
    if kind is not None:
        query = query.where(CheckRecord.kind == kind)
    return query if partition is None else query.where(CheckRecord.partition == partition)


def check_row_of(r: CheckRecord, body: str | None) -> CheckRow:
    """The record as a plain row, facts and all."""
    return CheckRow(r.name, r.passed, _facts(body))


def failure_of(r: CheckRecord, body: str | None) -> dict[str, Any]:
    """A failed check: kind, partition, name, facts, run_id, created_at."""
    return {**{k: getattr(r, k) for k in _OF_A_FAILURE}, "facts": _facts(body)}


def details_naming(text: str) -> Select[tuple[str]]:
    """Digests of facts in which a text occurs; those that were redacted do not say anything."""
    quoted = ascii_json(text)[1:-1]
    query = select(DetailRecord.digest).where(DetailRecord.body.contains(quoted, autoescape=True))
    return query.order_by(DetailRecord.digest)


def redact(log: Log, details: Sequence[str], why: str) -> Event:
    """Takes facts away for good, and puts on record that it was done."""
    event = log.append(REDACTION, {"details": sorted(details), "why": why})
    for record in log.s.scalars(select(DetailRecord).where(DetailRecord.digest.in_(details))):
        record.body = None
    return event


def _with_facts() -> Select[tuple[CheckRecord, str | None]]:
    return select(CheckRecord, DetailRecord.body).outerjoin(
        DetailRecord, DetailRecord.digest == CheckRecord.facts
    )


def _facts(body: str | None) -> dict[str, Any]:
    return {"redacted": True} if body is None else dict(json.loads(body)["facts"])
