"""When each version of a domain was live, and what people decided about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hier_dag.audit.evidence.checks import figures
from hier_dag.erasure.erased import ERASURE
from hier_dag.registry import AliasRow, Decision, Registry
from hier_dag.registry.decisions import APPROVAL, PIN, UNPIN, WAIVER

APPROVALS = (WAIVER, APPROVAL, PIN, UNPIN)
CERTIFICATE = "certificate"
"""Kind of decision: an artifact was built again and compared; subject: its digest, facts: the certificate."""


def live_dates(history: Sequence[AliasRow]) -> list[dict[str, Any]]:
    """One record a version, newest first; `until` is null for the one in force.

    Args:
        history: every move of the alias, newest first.
    """
    until = [None, *(iso(row.created_at) for row in history)]
    return [
        {
            "version": row.version,
            "digest": row.digest,
            "from": iso(row.created_at),
            "until": end,
            "action": row.action,
            "change": row.change,
            "space": row.space,
            "who": row.who,
            "why": row.why,
        }
        for row, end in zip(history, until, strict=False)
    ]


def approvals(registry: Registry, domain: str) -> list[dict[str, Any]]:
    """Waivers, approvals and pins of a domain, newest first."""
    return [_told(d) for d in registry.decisions(domain=domain, kinds=APPROVALS)]


def erasures(registry: Registry, domains: Sequence[str]) -> dict[str, Any]:
    """How many erasures concern some domains or the whole platform, and the ids of their receipts.

    Args:
        registry: of the platform.
        domains: that the set was made from, and its own.
    """
    found = [d for d in registry.decisions(kinds=(ERASURE,)) if not d.domain or d.domain in domains]
    receipts = sorted({d.subject for d in found})
    return {"count": len(receipts), "receipts": receipts}


def reproductions(registry: Registry, digests: Sequence[str]) -> list[dict[str, Any]]:
    """Certificates that some artifacts were made again, newest first, with their figures."""
    found = (d for d in registry.decisions(kinds=(CERTIFICATE,)) if d.subject in digests)
    return [{**_told(d), "facts": figures(d.facts)} for d in found]


def iso(moment: datetime) -> str:
    """A moment as ISO 8601, UTC."""
    return moment.astimezone(UTC).isoformat()


def _told(d: Decision) -> dict[str, Any]:
    return {
        "kind": d.kind,
        "subject": d.subject,
        "why": d.why,
        "who": d.who,
        "at": iso(d.created_at),
        "until": None if d.until is None else iso(d.until),
    }
