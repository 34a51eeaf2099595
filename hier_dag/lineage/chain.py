"""All that a published set was made of: artifacts with code, seeds, parameters, checks, run, environment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hier_dag.lineage.records import known, results_of
from hier_dag.lineage.trace import ANCHOR, steps_from
from hier_dag.registry import ArtifactRow, Registry
from hier_dag.registry.chain import event_of
from hier_dag.registry.tables import EventRecord, RunRecord
from hier_dag.registry.walk import Edge, ancestors


def chain_of(registry: Registry, digest: str) -> list[dict[str, Any]]:
    """The artifact and everything that its content came from, each once, nearest first.

    The set that began a space was turned to, not made of: it ends the chain where it is named.

    Args:
        registry: where they are on record.
        digest: of the artifact, in full.

    Returns:
        By artifact: kind, partition, role in its child, digest, run_id, who, created_at, seconds,
        code_version, code_commit, environment, params, seeds, inputs, parents, checks.

    Raises:
        StoreError: one of them is not on record.
    """

    def question(s: Session) -> list[dict[str, Any]]:
        roles = _roles(digest, ancestors(s, digest, but_roles=(ANCHOR,)).edges)
        rows, checks = known(s, roles), results_of(s, roles)
        return [_told(rows[d], role, checks[d]) for d, role in roles.items()]

    return registry.read(question)


def _roles(digest: str, edges: Sequence[Edge]) -> dict[str, str]:
    """The role of each artifact in the child that is nearest to the first one; nearest first."""
    steps = steps_from([digest], edges, up=True)
    roles = {digest: "live"}
    for edge in sorted(edges, key=lambda e: steps[e.child]):
        roles.setdefault(edge.parent, edge.role)
    return {d: roles[d] for d in sorted(steps, key=lambda d: (steps[d], roles[d]))}


def _told(row: ArtifactRow, role: str, checks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "partition": row.partition,
        "role": role,
        "digest": row.digest,
        "run_id": row.run_id,
        "who": row.who,
        "created_at": row.created_at.isoformat(),
        "seconds": row.seconds,
        "code_version": row.code_version,
        "code_commit": row.code_commit,
        "environment": row.environment,
        **{key: row.manifest[key] for key in ("params", "seeds", "inputs", "parents")},
        "checks": checks,
    }


def runs_of(registry: Registry, run_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Who started each run, when, on which machine and devices, by its id; runs of old are missing."""
    wanted = sorted({*run_ids} - {""})

    def question(s: Session) -> dict[str, dict[str, Any]]:
        query = select(RunRecord.run_id, EventRecord.entry).join(
            EventRecord, EventRecord.seq == RunRecord.event
        )
        rows = s.execute(query.where(RunRecord.run_id.in_(wanted)).order_by(RunRecord.event)).tuples()
        return {run_id: _run(entry) for run_id, entry in rows}

    return registry.read(question)


def _run(entry: str) -> dict[str, Any]:
    event = event_of(entry)
    machine = event.body.get("machine") or {}
    told = {key: machine.get(key) for key in ("host", "system", "cores", "devices", "driver")}
    return {"who": event.who, "at": event.at, "code_commit": event.body.get("code_commit"), **told}
