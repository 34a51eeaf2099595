"""How many rows a domain may lose to quarantine, and the message where it loses more."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from hier_dag.errors import ContractError
from hier_dag.ingest.canonical import REASONS
from hier_dag.ingest.ledger import Ledger

FILE_LEAST = 20
"""Quarantined rows from which on one file alone can refuse the domain: a drifted daily file must not hide
among a thousand sound ones, while a few bad rows in a tiny file say nothing."""
SAMPLE = 5


def check_quarantined(
    con: Backend, ledger: Ledger, limit: float, out: Path, *, tolerated: Set[str] = frozenset()
) -> None:
    """Refuses a domain whose quarantined share, or that of one of its files, is above `limit`.

    Args:
        con: the engine.
        ledger: the rows of the domain.
        limit: share of rows in [0, 1].
        out: folder that holds `quarantine/`.
        tolerated: reasons that do not count.

    Raises:
        ContractError: naming domain, file, column, reasons with counts, and up to 5 raw rows.
    """
    counts = [sum(n for r, n in f.quarantined.items() if r not in tolerated) for f in ledger.files]
    drift = [n / f.rows_in if n >= FILE_LEAST else 0.0 for n, f in zip(counts, ledger.files, strict=True)]
    drifted = max(drift, default=0.0) > limit
    if drifted or sum(counts) > limit * ledger.rows_in:
        # Where no file stands out by itself, the one with the most rows is named.
        shares = drift if drifted else [float(n) for n in counts]
        raise _refusal(con, ledger, shares.index(max(shares)), limit, out, tolerated)


def _refusal(
    con: Backend, ledger: Ledger, index: int, limit: float, out: Path, tolerated: Set[str]
) -> ContractError:
    entry = ledger.files[index]
    rows = _quarantined(con, out, index)
    reason = max(set(entry.quarantined) - tolerated, key=lambda r: (entry.quarantined[r], r))
    first = rows.filter(rows.reason == reason).order_by("row").limit(SAMPLE)
    sample: list[dict[str, Any]] = con.to_pyarrow(first).to_pylist()
    columns = con.to_pyarrow(
        rows.group_by("column").aggregate(n=rows.count()).order_by(["column"])
    ).to_pylist()
    counts = ", ".join(f"{r}: {n}" for r, n in sorted(entry.quarantined.items(), key=lambda x: -x[1]))
    shown = "; ".join(f"row {r['row']}: {r['raw'][:200]}" for r in sample)
    return ContractError(
        f"{entry.rows_quarantined} of {entry.rows_in} rows are not valid ({counts}); the limit is "
        f"{limit:.1%}. {reason}: {REASONS[reason]}. For example {shown}.",
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
