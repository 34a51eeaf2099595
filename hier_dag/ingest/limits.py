"""How many rows a domain may lose to quarantine, and the message where it loses more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from hier_dag.errors import ContractError
from hier_dag.ingest.canonical import REASONS
from hier_dag.ingest.ledger import FileLedger, Ledger

FILE_LEAST = 20
"""Quarantined rows from which on one file alone can refuse the domain: a drifted daily file must not hide among
a thousand sound ones, while a few bad rows in a tiny file say nothing."""
SAMPLE = 5


def check_quarantined(con: Backend, ledger: Ledger, limit: float, out: Path) -> None:
    """Refuses a domain whose quarantined share, or that of one of its files, is above `limit`.

    Args:
        con: the engine.
        ledger: the rows of the domain.
        limit: share of rows in [0, 1].
        out: folder that holds `quarantine/`.

    Raises:
        ContractError: naming domain, file, column, reasons with counts, and up to 5 raw rows.
    """
    total = sum(ledger.quarantined.values())
    worst = max(range(len(ledger.files)), key=lambda i: _share(ledger.files[i]), default=None)
    if worst is None:
        return
    entry = ledger.files[worst]
    drifted = entry.rows_quarantined >= FILE_LEAST and _share(entry) > limit
    if total <= limit * ledger.rows_in and not drifted:
        return
    whole = not drifted
    if whole:  # no file stands out by itself: name the one with the most rows
        worst = max(range(len(ledger.files)), key=lambda i: ledger.files[i].rows_quarantined)
        entry = ledger.files[worst]
    raise _refusal(con, ledger, worst, limit, out)


def _share(entry: FileLedger) -> float:
    return entry.rows_quarantined / entry.rows_in if entry.rows_in else 0.0


def _refusal(con: Backend, ledger: Ledger, index: int, limit: float, out: Path) -> ContractError:
    entry = ledger.files[index]
    rows = _quarantined(con, out, index)
    reason = max(entry.quarantined, key=lambda r: (entry.quarantined[r], r))
    first = rows.filter(rows.reason == reason).order_by("row").limit(SAMPLE)
    sample: list[dict[str, Any]] = con.to_pyarrow(first).to_pylist()
    columns = con.to_pyarrow(
        rows.group_by("column").aggregate(n=rows.count()).order_by(["column"])
    ).to_pylist()
    counts = ", ".join(f"{r}: {n}" for r, n in sorted(entry.quarantined.items(), key=lambda x: -x[1]))
    shown = "; ".join(f"row {r['row']}: {r['raw'][:200]}" for r in sample)
    return ContractError(
        f"{entry.rows_quarantined} of {entry.rows_in} rows are not valid ({counts}); the limit is {limit:.1%} of "
        f"the rows. {reason}: {REASONS[reason]}. For example {shown}.",
        domain=ledger.domain,
        file=entry.location,
        column=sample[0]["column"],
        fix="mend the file or the column mapping; or raise `max_quarantined` of the domain",
        detail={
            "quarantined": dict(entry.quarantined),
            "columns": {str(c["column"]): c["n"] for c in columns},
            "rows_in": entry.rows_in,
            "domain_quarantined": ledger.quarantined,
            "domain_rows_in": ledger.rows_in,
            "limit": limit,
            "sample": sample,
        },
    )


def _quarantined(con: Backend, out: Path, index: int) -> ir.Table:
    (part,) = (out / "quarantine").glob(f"part-{index:05d}-*.parquet")
    return con.read_parquet(str(part))
