"""Quarantined rows run again: under rules that were changed, from a file that was mended, with corrections.

A replay reads the raw file again rather than the quarantined rows alone: a rule that lets one row in may
keep another out, and a mended row may be the first of equal ones. So its ledger is exact, and its result is
what an ingest of mended logs gives.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ibis.backends.duckdb import Backend

from hier_dag.digest import digest_file
from hier_dag.erasure.corrections import without_erased
from hier_dag.ingest.connection import connect
from hier_dag.ingest.corrections import DESCRIPTIONS, FILE, Corrections
from hier_dag.ingest.ledger import Ledger
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import CORRECTIONS
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.quarantine.mended import Mended
from hier_dag.registry import CheckRow

Connect = Callable[[], AbstractContextManager[Backend]]


def corrections_of(workshop: Workshop, domain: str) -> Corrections:
    """The recorded corrections of a domain."""
    digest = workshop.registry.latest(CORRECTIONS, domain)
    return Corrections.none() if digest is None else Corrections.read(workshop.open(CORRECTIONS, digest).path)


def record_corrections(workshop: Workshop, domain: str, mended: Mended, source: Path, why: str) -> str:
    """Commits a domain's corrections, earlier ones included, and records who gave them and why.

    Those that name an erased user are left out.

    Returns:
        Its digest.
    """
    earlier = workshop.registry.latest(CORRECTIONS, domain)
    merged = _of_nobody_erased(workshop, corrections_of(workshop, domain).merged(mended.records))
    facts = {"new": len(mended.records), "unchanged": mended.unchanged}
    given = {"location": source.name, "sha256": digest_file(source), "bytes": source.stat().st_size}
    return _commit(workshop, domain, merged, why, facts, earlier, [given])


def replace_corrections(workshop: Workshop, domain: str, corrections: Corrections, why: str) -> str:
    """Commits corrections in the place of all that a domain has.

    Returns:
        Its digest.
    """
    earlier = workshop.registry.latest(CORRECTIONS, domain)
    left = {"left": int(corrections.table.num_rows)}
    return _commit(workshop, domain, corrections, why, left, earlier, [])


def withdraw_corrections(workshop: Workshop, domain: str, why: str) -> int:
    """Takes back all corrections of a domain, on record with who and why.

    Returns:
        How many there were.
    """
    earlier = workshop.registry.latest(CORRECTIONS, domain)
    withdrawn = int(corrections_of(workshop, domain).table.num_rows)
    if withdrawn:
        _commit(workshop, domain, Corrections.none(), why, {"withdrawn": withdrawn}, earlier, [])
    return withdrawn


def _of_nobody_erased(workshop: Workshop, corrections: Corrections) -> Corrections:
    erased = workshop.erasures.erased()
    if erased is None:
        return corrections
    with connect(workshop.erasures.home / "scratch") as con:
        return without_erased(con, corrections, erased)


def _commit(
    workshop: Workshop,
    domain: str,
    corrections: Corrections,
    why: str,
    facts: dict[str, int],
    earlier: str | None,
    inputs: list[dict[str, Any]],
) -> str:
    parents = {} if earlier is None else {"earlier": earlier}
    request = Request(CORRECTIONS, domain, "2", {"why": why}, parents, inputs=inputs)

    def build(_: Request, staged: Path) -> Built:
        corrections.write(staged)
        columns = [
            {"name": f.name, "type": str(f.type), "description": DESCRIPTIONS[f.name]}
            for f in corrections.table.schema
        ]
        given = CheckRow("given", True, {"why": why, **facts})
        return Built(tables={FILE: columns}, summary={"rows": corrections.table.num_rows}, checks=[given])

    return workshop.make(request, build, run_id="").artifact.digest


def compare(before: Ledger, after: Ledger) -> list[dict[str, Any]]:
    """Rows before and after by what became of them: valid, deduplicated, each reason, corrected."""
    reasons = dict.fromkeys([*before.quarantined, *after.quarantined])

    def line(what: str, pick: Callable[[Ledger], int]) -> dict[str, Any]:
        return {"what": what, "before": pick(before), "after": pick(after)}

    return [
        line("rows in", lambda x: x.rows_in),
        line("valid", lambda x: x.rows_out),
        line("deduplicated", lambda x: x.deduplicated),
        *([line("erased", lambda x: x.erased)] if before.erased or after.erased else []),
        *(line(r, lambda x, r=r: x.quarantined.get(r, 0)) for r in reasons),  # type: ignore[misc]
        line("corrected (of all these)", lambda x: sum(f.corrected for f in x.files)),
    ]
