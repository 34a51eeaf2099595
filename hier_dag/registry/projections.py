"""What each event puts into the tables that are searched; writing and verifying ask the same function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from hier_dag.registry.chain import Event
from hier_dag.registry.tables import (
    AliasRecord,
    ArtifactRecord,
    Base,
    CheckRecord,
    DecisionRecord,
    EnvironmentRecord,
    InputRecord,
    ParentRecord,
    RequestRecord,
    RunRecord,
)

RUN, ENVIRONMENT, ARTIFACT, REQUEST = "run", "environment", "artifact", "request"
CHECKS, DECISION, ALIAS, REDACTION, IMPORTED = "checks", "decision", "alias", "redaction", "imported"


def rows_of(event: Event) -> list[Base]:
    """Rows of the index tables that an event stands for.

    Raises:
        LookupError, TypeError, ValueError: the event does not say what its kind has to.
    """
    project = _ROWS.get(event.kind)
    return [] if project is None else list(project(event, datetime.fromisoformat(event.at)))


def _run(e: Event, _: datetime) -> Iterator[Base]:
    yield RunRecord(event=e.seq, platform=e.platform, run_id=e.run_id)


def _environment(e: Event, _: datetime) -> Iterator[Base]:
    yield EnvironmentRecord(digest=e.body["digest"], event=e.seq)


def _artifact(e: Event, at: datetime) -> Iterator[Base]:
    b, m = e.body, e.body["manifest"]
    yield ArtifactRecord(
        digest=b["digest"],
        event=e.seq,
        kind=m["kind"],
        partition=m["partition"],
        request_key=m["request_key"],
        code_version=m["code_version"],
        code_commit=b["code_commit"],
        environment=m["environment"],
        run_id=e.run_id,
        who=e.who,
        created_at=at,
        seconds=b["seconds"],
        bytes=sum(f["bytes"] for f in m["files"]),
    )
    for role, parent in m["parents"].items():
        yield ParentRecord(child=b["digest"], role=role, parent=parent, event=e.seq)
    for position, read in enumerate(m["inputs"]):
        yield InputRecord(
            event=e.seq,
            position=position,
            artifact=b["digest"],
            location=str(read.get("location", "")),
            sha256=str(read.get("sha256", "")),
        )


def _request(e: Event, at: datetime) -> Iterator[Base]:
    yield RequestRecord(
        event=e.seq,
        platform=e.platform,
        request_key=e.body["request_key"],
        digest=e.body["digest"],
        run_id=e.run_id,
        created_at=at,
    )


def _checks(e: Event, at: datetime) -> Iterator[Base]:
    about = {k: e.body[k] for k in ("artifact", "request_key", "kind", "partition")}
    for position, check in enumerate(e.body["checks"]):
        yield CheckRecord(
            event=e.seq,
            position=position,
            platform=e.platform,
            **about,
            name=check["name"],
            passed=check["passed"],
            facts=check["facts"],
            run_id=e.run_id,
            created_at=at,
        )


def _decision(e: Event, at: datetime) -> Iterator[Base]:
    until = e.body["until"]
    yield DecisionRecord(
        event=e.seq,
        platform=e.platform,
        **{k: e.body[k] for k in ("domain", "kind", "subject", "why")},
        who=e.who,
        until=None if until is None else datetime.fromisoformat(until),
        created_at=at,
    )


def _alias(e: Event, at: datetime) -> Iterator[Base]:
    named = ("domain", "alias", "version", "digest", "action", "change", "space", "why")
    yield AliasRecord(
        event=e.seq,
        platform=e.platform,
        **{k: e.body[k] for k in named},
        run_id=e.run_id,
        who=e.who,
        created_at=at,
    )


_ROWS: Mapping[str, Callable[[Event, datetime], Iterator[Base]]] = {
    RUN: _run,
    ENVIRONMENT: _environment,
    ARTIFACT: _artifact,
    REQUEST: _request,
    CHECKS: _checks,
    DECISION: _decision,
    ALIAS: _alias,
}
