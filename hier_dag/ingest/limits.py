"""How many rows a domain may lose to quarantine, and the message where it loses more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from hier_dag.errors import ContractError
from hier_dag.ingest.ledger import FileLedger, Ledger
from hier_dag.ingest.offending_values import offending_values, values_in_words
from hier_dag.ingest.reasons import EVENTS, REASONS

FILE_LEAST = 20
"""Quarantined rows from which on one file alone can refuse the domain: a drifted daily file must not hide
among a thousand sound ones, while a few bad rows in a tiny file say nothing."""
SAMPLE = 5


@dataclass(frozen=True)
class Limits:
    """How much of a domain may be quarantined before its ingest refuses.

    Attributes:
        total: share of rows in [0, 1], all reasons together.
        by_reason: further limits of single reasons, share of rows in [0, 1]; 0 refuses at the first row.
        tolerated: reasons that do not count towards `total`.
        behaviors: behaviours that the domain allows, for messages; empty where it allows any.
    """

    total: float
    by_reason: Mapping[str, float] = field(default_factory=dict)
    tolerated: Set[str] = frozenset()
    behaviors: Sequence[str] = ()


def check_quarantined(con: Backend, ledger: Ledger, limits: Limits, out: Path) -> None:
    """Refuses a domain whose quarantined share, or that of one of its files, is above a limit.

    Args:
        con: the engine.
        ledger: the rows of the domain.
        limits: what may be lost.
        out: folder that holds `quarantine/`.

    Raises:
        ContractError: naming domain, file, column, reasons with counts, and up to 5 raw rows.
    """
    counted = {r for f in ledger.files for r in f.quarantined} - limits.tolerated
    _check(con, ledger, counted, limits.total, "max_quarantined", out, limits.behaviors)
    for reason, limit in sorted(limits.by_reason.items()):
        _check(con, ledger, {reason}, limit, f"max_quarantined_by_reason.{reason}", out, limits.behaviors)


def _check(
    con: Backend,
    ledger: Ledger,
    reasons: Set[str],
    limit: float,
    key: str,
    out: Path,
    behaviors: Sequence[str],
) -> None:
    counts = [sum(n for r, n in f.quarantined.items() if r in reasons) for f in ledger.files]
    drift = [n / f.rows_in if n >= FILE_LEAST else 0.0 for n, f in zip(counts, ledger.files, strict=True)]
    drifted = max(drift, default=0.0) > limit
    if drifted or sum(counts) > limit * ledger.rows_in:
        # Where no file stands out by itself, the one with the most rows is named.
        shares = drift if drifted else [float(n) for n in counts]
        raise _refusal(con, ledger, shares.index(max(shares)), reasons, limit, key, out, behaviors)


def _refusal(
    con: Backend,
    ledger: Ledger,
    index: int,
    reasons: Set[str],
    limit: float,
    key: str,
    out: Path,
    behaviors: Sequence[str],
) -> ContractError:
    entry = ledger.files[index]
    key, look = _where(ledger, entry, key)
    rows = _quarantined(con, out, index)
    refused = {r: n for r, n in entry.quarantined.items() if r in reasons}
    reason = max(refused, key=lambda r: (refused[r], r))
    broken = rows.filter(rows.reason == reason)
    first = broken.order_by("row").limit(SAMPLE)
    sample: list[dict[str, Any]] = con.to_pyarrow(first).to_pylist()
    values = offending_values(con, broken, sample[0]["column"])
    allowed = behaviors if reason == "unknown_behavior" else ()
    columns = con.to_pyarrow(
        rows.group_by("column").aggregate(n=rows.count()).order_by(["column"])
    ).to_pylist()
    counts = ", ".join(f"{r}: {n}" for r, n in sorted(refused.items(), key=lambda x: -x[1]))
    shown = "; ".join(f"row {r['row']}: {r['raw'][:200]}" for r in sample)
    return ContractError(
        f"{sum(refused.values())} of {entry.rows_in} rows are not valid ({counts}); the limit is "
        f"{limit:.1%}. {reason}: {REASONS[reason].meaning}."
        f"{values_in_words(values, allowed)} For example {shown}.",
        domain=entry.domain or ledger.domain,
        file=entry.location,
        column=sample[0]["column"],
        fix=f"{REASONS[reason].fix_in(entry.feeds)}; or raise `{key}`. All of these rows: "
        f"hier quarantine show {look}",
        detail={
            "quarantined": dict(entry.quarantined),
            "columns": {str(c["column"]): c["n"] for c in columns},
            "rows_in": entry.rows_in,
            "domain_quarantined": ledger.quarantined,
            "domain_rows_in": ledger.rows_in,
            "limit": limit,
            "limit_key": key,
            "values": values,
            "sample": sample,
        },
    )


def _where(ledger: Ledger, entry: FileLedger, key: str) -> tuple[str, str]:
    """The limit's key in full, and what `hier quarantine show` calls the rows."""
    if entry.feeds != EVENTS:  # no domain has a limit of its own for what all share
        return f"stages.ingest.{key}", "links"
    return f"domains.{ledger.domain}.{key}", str(ledger.domain)


def _quarantined(con: Backend, out: Path, index: int) -> ir.Table:
    (part,) = (out / "quarantine").glob(f"part-{index:05d}-*.parquet")
    return con.read_parquet(str(part))
