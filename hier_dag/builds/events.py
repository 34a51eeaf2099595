"""Builds raw/events of one domain: ingest, then the contract of what was written."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ibis.backends.duckdb import Backend

from hier_dag.builds.expectations import ask_of_events
from hier_dag.config import PlatformConfig
from hier_dag.erasure.erased import Erased
from hier_dag.errors import StoreError
from hier_dag.ingest.corrections import Corrections
from hier_dag.ingest.events import PreviousEvents, ingest_domain
from hier_dag.ingest.ledger import FileLedger, Ledger
from hier_dag.ingest.schema_drift import schema_changes
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import CORRECTIONS, EVENTS
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.progress import Step, tell
from hier_dag.registry import CheckRow
from schemas.audits import audit_events
from schemas.columns import columns_of
from schemas.expectations.ask import warm_up
from schemas.expectations.verdict import WARNING, Verdict

INPUT_SCHEMA, APPLIED = "input_schema", "corrections"
_CHANGES = 10  # changed columns named in the message
Connect = Callable[[], AbstractContextManager[Backend]]


def build_events(
    config: PlatformConfig,
    domain: str,
    request: Request,
    staged: Path,
    workshop: Workshop,
    connect: Connect,
    docs: Path | None = None,
    as_of: datetime | None = None,
) -> Built:
    """Writes a domain's events into a staged folder and checks them.

    Args:
        config: the platform.
        domain: the domain.
        request: as `events_request` gives it.
        staged: an empty folder.
        workshop: where the domain's last events are found, so that unchanged files are not read again.
        connect: opens the data engine.
        docs: folder of the Data Docs that get a page; None writes none.
        as_of: time of the build, which rows in the future are judged by; None is now.

    Raises:
        ContractError: when a file cannot be used or too many rows are invalid.
    """
    warm_up()
    previous = _previous(workshop, domain)
    corrections, erased = _corrections(workshop, request), workshop.erasures.erased()
    with connect() as con:
        ledger = _ingest(
            config, domain, request, staged, con, previous, corrections, as_of or datetime.now(UTC), erased
        )
        events, quarantine = (sorted((staged / part).glob("*.parquet")) for part in ("events", "quarantine"))
        failures = audit_events(con, events, quarantine)
        # Rows that break the schema cannot be counted; they are refused whatever the rest is like.
        expected = (
            Verdict() if failures else ask_of_events(con, config, request, ledger, staged, workshop, docs)
        )
    totals = ledger.as_json()["totals"]
    schema = {"failures": [f.as_dict() for f in failures], "files": len(events)}
    return Built(
        tables={"events": columns_of(EVENTS, events[0])} if events else {},
        summary={
            **totals,
            "rows_quarantined": sum(ledger.quarantined.values()),
            "files": len(ledger.files),
            **ledger.validity,
        },
        checks=[
            CheckRow("row_schema", not failures, schema),
            CheckRow("conservation", True, totals),
            _input_schema(ledger, previous),
            _applied(domain, ledger, corrections),
            *expected.checks,
        ],
        advisory=frozenset({WARNING, INPUT_SCHEMA, APPLIED}),
        remedies=expected.remedies,
    )


def _ingest(
    config: PlatformConfig,
    domain: str,
    request: Request,
    staged: Path,
    con: Backend,
    previous: PreviousEvents | None,
    corrections: Corrections | None,
    as_of: datetime,
    erased: Erased | None,
) -> Ledger:
    """Ingests the domain and tells how it goes, file by file."""
    stage, began = f"{EVENTS}[{domain}]", time.perf_counter()

    def progress(done: int, total: int, entry: FileLedger) -> None:
        tell(Step(stage, f"{entry.location}: {entry.rows_in:,} rows", done + 1, total))

    ledger = ingest_domain(
        config,
        domain,
        list(request.raw),
        staged,
        con=con,
        as_of=as_of,
        previous=previous,
        corrections=corrections,
        erased=erased,
        progress=progress,
    )
    seconds = max(time.perf_counter() - began, 1e-9)
    tell(Step(stage, f"{ledger.rows_in / seconds:,.0f} rows/s", 1, 1))
    return ledger


def _input_schema(ledger: Ledger, previous: PreviousEvents | None) -> CheckRow:
    """Whether the raw files still have the columns and types of the last accepted version."""
    last = () if previous is None else previous.ledger.files
    changes = schema_changes(*([(f.location, f.columns) for f in files] for files in (ledger.files, last)))
    if not changes:
        return CheckRow(INPUT_SCHEMA, True, {"files": len(ledger.files)})
    facts = {
        "changes": [asdict(c) for c in changes],
        "message": "; ".join(
            f"{c.file}: column {c.column} is {c.change} ({c.before or 'absent'} → {c.now or 'absent'})"
            for c in changes[:_CHANGES]
        ),
        "fix": "ask whoever writes the log whether this was meant; `extra_columns: refuse` stops at new ones",
    }
    return CheckRow(INPUT_SCHEMA, False, facts)


def _applied(domain: str, ledger: Ledger, corrections: Corrections | None) -> CheckRow:
    """Whether every recorded correction still has the row that it was given for."""
    recorded = 0 if corrections is None else corrections.table.num_rows
    applied = sum(f.corrected for f in ledger.files)
    facts: dict[str, Any] = {"recorded": recorded, "applied": applied}
    if applied < recorded:
        facts["message"] = (
            f"{recorded - applied} of {recorded} recorded corrections no longer apply: their files were "
            "delivered again, or their rows no longer hold what was corrected"
        )
        facts["fix"] = (
            f"see what is quarantined now: hier quarantine show {domain}; correct it anew, or take the "
            f"corrections back: hier quarantine replay {domain} --withdraw --why …"
        )
    return CheckRow(APPLIED, applied == recorded, facts)


def _previous(workshop: Workshop, domain: str) -> PreviousEvents | None:
    digest = workshop.registry.latest(EVENTS, domain)
    if digest is None:
        return None
    try:
        return PreviousEvents.read(workshop.open(EVENTS, digest).path)
    except StoreError:
        return None


def _corrections(workshop: Workshop, request: Request) -> Corrections | None:
    digest = request.parents.get("corrections")
    return None if digest is None else Corrections.read(workshop.open(CORRECTIONS, digest).path)
