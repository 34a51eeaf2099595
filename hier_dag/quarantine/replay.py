"""Quarantined rows run again: under rules that were changed, from a file that was mended, with corrections.

A replay reads the raw file again rather than the quarantined rows alone: a rule that lets one row in may
keep another out, and a mended row may be the first of equal ones. So its ledger is exact, and its result is
what an ingest of mended logs gives.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ibis.backends.duckdb import Backend

from hier_dag.config import PlatformConfig
from hier_dag.digest import digest_file
from hier_dag.errors import ContractError
from hier_dag.ingest.corrections import DESCRIPTIONS, FILE, Corrections
from hier_dag.ingest.events import ingest_domain
from hier_dag.ingest.fingerprint import fingerprint
from hier_dag.ingest.ledger import Ledger
from hier_dag.ingest.links import ingest_links, link_inputs
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import CORRECTIONS
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.quarantine.held import SHARED
from hier_dag.quarantine.mended import Mended
from hier_dag.registry import CheckRow

Connect = Callable[[], AbstractContextManager[Backend]]


@dataclass(frozen=True)
class Trial:
    """What an ingest would come to, without anything being committed.

    Attributes:
        ledger: where every row would go; None where a file cannot be read at all.
        refused: why it would be refused, None where it would be accepted.
    """

    ledger: Ledger | None
    refused: str | None


def corrections_of(workshop: Workshop, domain: str) -> Corrections:
    """The recorded corrections of a domain."""
    digest = workshop.registry.latest(CORRECTIONS, domain)
    return Corrections.none() if digest is None else Corrections.read(workshop.open(CORRECTIONS, digest).path)


def record_corrections(workshop: Workshop, domain: str, mended: Mended, source: Path, why: str) -> str:
    """Commits a domain's corrections, earlier ones included, and records who gave them and why.

    Returns:
        Its digest.
    """
    earlier = workshop.registry.latest(CORRECTIONS, domain)
    merged = corrections_of(workshop, domain).merged(mended.records)
    given = {"location": source.name, "sha256": digest_file(source), "bytes": source.stat().st_size}
    parents = {} if earlier is None else {"earlier": earlier}
    request = Request(CORRECTIONS, domain, "1", {"why": why}, parents, inputs=[given])

    def build(_: Request, staged: Path) -> Built:
        merged.write(staged)
        columns = [{"name": f.name, "type": str(f.type), "description": DESCRIPTIONS[f.name]}
                   for f in merged.table.schema]  # fmt: skip
        facts = {"why": why, "new": len(mended.records), "unchanged": mended.unchanged}
        rows = {"rows": merged.table.num_rows}
        return Built(tables={FILE: columns}, summary=rows, checks=[CheckRow("given", True, facts)])

    return workshop.make(request, build, run_id="").artifact.digest


def try_ingest(config: PlatformConfig, name: str, corrections: Corrections, connect: Connect) -> Trial:
    """Ingests a domain (or `links`) into a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="hier-trial-") as folder, connect() as con:
        out = Path(folder) / "out"
        out.mkdir()
        refused = None
        try:
            if name == SHARED:
                ingest_links(config, link_inputs(config), out, con=con)
            else:
                inputs = fingerprint(config, config.domains[name].sources, name)
                now = datetime.now(UTC)
                ingest_domain(config, name, inputs, out, con=con, as_of=now, corrections=corrections)
        except ContractError as error:
            refused = str(error)
        written = out / "ledger.json"
        return Trial(Ledger.read(written) if written.is_file() else None, refused)


def compare(before: Ledger, after: Ledger) -> list[dict[str, Any]]:
    """Rows before and after by what became of them: valid, deduplicated, each reason, corrected."""
    reasons = dict.fromkeys([*before.quarantined, *after.quarantined])

    def line(what: str, pick: Callable[[Ledger], int]) -> dict[str, Any]:
        return {"what": what, "before": pick(before), "after": pick(after)}

    return [
        line("rows in", lambda x: x.rows_in),
        line("valid", lambda x: x.rows_out),
        line("deduplicated", lambda x: x.deduplicated),
        *(line(r, lambda x, r=r: x.quarantined.get(r, 0)) for r in reasons),  # type: ignore[misc]
        line("corrected (of all these)", lambda x: sum(f.corrected for f in x.files)),
    ]
