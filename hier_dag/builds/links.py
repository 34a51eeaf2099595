"""Builds raw/links: ingest of what the domains share, then the contract of what was written."""

from __future__ import annotations

from pathlib import Path

from hier_dag.builds.events import Connect
from hier_dag.config import PlatformConfig
from hier_dag.erasure.erased import Erased
from hier_dag.ingest.links import ingest_links
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import LINKS
from hier_dag.pipeline.workshop import Built
from hier_dag.progress import Step, tell
from hier_dag.registry import CheckRow
from schemas.audits import audit_links
from schemas.columns import columns_of


def build_links(
    config: PlatformConfig,
    request: Request,
    staged: Path,
    connect: Connect,
    erased: Erased | None = None,
) -> Built:
    """Writes the shared links into a staged folder and checks them.

    Args:
        config: the platform.
        request: as `links_request` gives it.
        staged: an empty folder.
        connect: opens the data engine.
        erased: users whose edges are left out; None where nobody was erased.

    Raises:
        ContractError: when a file cannot be used or too many rows are invalid.
    """
    with connect() as con:
        ledger = ingest_links(config, request.raw, staged, con=con, erased=erased)
        failures = audit_links(con, staged)
    totals = ledger.as_json()["totals"]
    tell(Step(LINKS, f"{ledger.rows_in:,} rows", 1, 1))
    return Built(
        tables={p.stem: columns_of(LINKS, p) for p in sorted(staged.glob("*.parquet"))},
        summary={**totals, "files": len(ledger.files)},
        checks=[
            CheckRow("row_schema", not failures, {"failures": [f.as_dict() for f in failures]}),
            CheckRow("conservation", True, totals),
        ],
    )
