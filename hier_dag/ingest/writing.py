"""Judged rows to Parquet: valid and distinct ones apart from quarantined ones, each counted on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import ibis.expr.types as ir
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

ROW_GROUP = 122_880
_DISTINCT = "distinct_rows"


@dataclass(frozen=True)
class Written:
    """What became of one input's rows, each figure counted where the rows are, none by subtraction.

    Attributes:
        rows_out: rows in the written file, by its footer.
        quarantined: refused rows by reason.
        deduplicated: rows equal to an earlier one.
        latest_valid: latest event time among valid rows.
        first_future: earliest event time quarantined as `future_time`.
    """

    rows_out: int
    quarantined: dict[str, int]
    deduplicated: int
    latest_valid: datetime | None = None
    first_future: datetime | None = None


def write_distinct(
    con: Backend,
    judged: ir.Table,
    key: Sequence[str],
    columns: Sequence[str],
    out: Path,
    quarantine: Path,
    earlier: Sequence[Path] = (),
) -> Written:
    """Writes the valid rows whose key is new, in row order, and the quarantined ones where there are any.

    Args:
        con: the engine.
        judged: `key`, other columns, file, row, verdict (reason null = valid), raw.
        key: columns that make two rows the same; nulls are equal. The first row stays.
        columns: columns to write, in order.
        out: Parquet file of the valid rows; always written.
        quarantine: Parquet file of the others.
        earlier: Parquet files whose keys are already taken.
    """
    reasons = _count_reasons(con, judged)
    quarantined = {r: n for r, n, _, _ in reasons if r is not None}
    if quarantined:
        quarantine.parent.mkdir(parents=True, exist_ok=True)
        refused = judged.filter(judged.reason.notnull()).order_by("row")
        to_parquet(con, refused.select("file", "row", "reason", "reasons", "column", "raw"), quarantine)
    deduplicated = _write_valid(con, judged.filter(judged.reason.isnull()), key, columns, out, earlier)
    return Written(
        rows_out=pq.read_metadata(out).num_rows,
        quarantined=quarantined,
        deduplicated=deduplicated,
        latest_valid=next((last for r, _, _, last in reasons if r is None), None),
        first_future=next((first for r, _, first, _ in reasons if r == "future_time"), None),
    )


def part_name(index: int, sha256: str) -> str:
    """File name of a part: place in the ledger and the raw file's digest."""
    return f"part-{index:05d}-{sha256[:8]}.parquet"


def to_parquet(con: Backend, table: ir.Table, path: Path) -> None:
    """Writes a table in its order, zstd, in row groups of a fixed size: equal tables give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    con.to_parquet(table, path, compression="zstd", row_group_size=ROW_GROUP)


def _write_valid(
    con: Backend,
    valid: ir.Table,
    key: Sequence[str],
    columns: Sequence[str],
    out: Path,
    earlier: Sequence[Path],
) -> int:
    rest = [c for c in columns if c not in key and c != "row"]
    firsts = {c: valid[c].argmin(valid.row) for c in rest}
    grouped = valid.group_by(list(key)).aggregate(**firsts, row=valid.row.min(), copies=valid.count())
    distinct = con.create_table(_DISTINCT, grouped, temp=True, overwrite=True)
    try:
        fresh, repeated = distinct, 0
        if earlier:
            taken = con.read_parquet([str(p) for p in earlier]).select(*key).distinct()
            same = [distinct[k].identical_to(taken[k]) for k in key]
            fresh = distinct.anti_join(taken, same)
            repeated = _int(con, distinct.semi_join(taken, same).copies.sum())
        to_parquet(con, fresh.order_by("row").select(*columns), out)
        return repeated + _int(con, (fresh.copies - 1).sum())
    finally:
        con.drop_table(_DISTINCT, force=True)


def _count_reasons(
    con: Backend, judged: ir.Table
) -> list[tuple[str | None, int, datetime | None, datetime | None]]:
    times = "event_time" in judged.columns
    span = {"first": judged.event_time.min(), "last": judged.event_time.max()} if times else {}
    counted = judged.group_by("reason").aggregate(rows=judged.count(), **span).order_by("reason")
    rows = con.to_pyarrow(counted).to_pylist()
    return [(r["reason"], r["rows"], r.get("first"), r.get("last")) for r in rows]


def _int(con: Backend, value: ir.Scalar) -> int:
    return int(con.to_pyarrow(value).as_py() or 0)
