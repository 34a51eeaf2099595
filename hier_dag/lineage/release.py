"""What let a version go live: who moved the alias and why, gates, waivers, approvals, roll-backs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hier_dag.publish.gates import EVERY_MODEL, SPACE, TRANSFER
from hier_dag.publish.reader.records import VersionRecord
from hier_dag.registry import AliasRow, Decision, Registry
from hier_dag.registry.aliases import ROLLBACK
from hier_dag.registry.decisions import APPROVAL, PIN, UNPIN, WAIVER

_KINDS = (WAIVER, APPROVAL, PIN, UNPIN)


def release_of(registry: Registry, live: VersionRecord, model: str | None) -> dict[str, Any]:
    """Why a version is in force.

    Args:
        registry: of the platform.
        live: the version.
        model: digest of the set's model, which waivers are about.

    Returns:
        version, action, who, why, at, change, space, event (in the registry's log, None where it does not
        know of the move), restores (the version whose set a roll-back put in force), gates, decisions and
        versions (every other version of the same set).
    """
    history = registry.alias_history(live.domain, live.alias)
    row = next((r for r in history if r.version == live.version), None)
    asked = registry.checks(live.digest)
    gates = {c.name: c for c in asked if c.name in (TRANSFER, SPACE)}
    about = {live.digest, EVERY_MODEL} | ({model} if model else set())
    decisions = [d for d in registry.decisions(domain=live.domain, kinds=_KINDS) if d.subject in about]
    return {
        **{key: getattr(live, key) for key in ("version", "action", "who", "why", "change", "space")},
        "at": live.created if row is None else row.created_at.isoformat(),
        "event": None if row is None else row.event,
        "restores": live.facts.get("restores") if live.action == ROLLBACK else None,
        "gates": [{"name": c.name, "passed": c.passed, "facts": c.facts} for c in gates.values()],
        "decisions": [_words(d, row) for d in decisions],
        "versions": _others(history, live),
    }


def _words(decision: Decision, row: AliasRow | None) -> Mapping[str, Any]:
    """A decision, and whether it held when the version went live."""
    then = None if row is None else decision.created_at <= row.created_at and decision.holds(row.created_at)
    return {**decided(decision), "held_then": then}


def decided(decision: Decision) -> dict[str, Any]:
    """A decision as a JSON-serialisable record."""
    until = None if decision.until is None else decision.until.isoformat()
    return {**asdict(decision), "until": until, "created_at": decision.created_at.isoformat()}


def _others(history: Sequence[AliasRow], live: VersionRecord) -> list[dict[str, Any]]:
    return [
        {"version": r.version, "action": r.action, "who": r.who, "why": r.why, "at": r.created_at.isoformat()}
        for r in history
        if r.digest == live.digest and r.version != live.version
    ]
