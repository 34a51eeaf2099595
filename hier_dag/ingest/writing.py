"""Judged rows to Parquet: valid and distinct ones apart from quarantined ones, each counted on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from hier_dag.ingest.bursts import BUSY, BurstRule, busy_days, drop_busy, with_bursts
from hier_dag.ingest.erased_rows import ErasedRows

ROW_GROUP = 122_880
_ROWS = "grouped_rows"
_ERASED = -1  # in the place of a refused row's number
Again = Callable[[ir.Table, str], ir.Table]


@dataclass(frozen=True)
class Written:
    """What became of one input's rows, each figure counted where the rows are, none by subtraction.

    Attributes:
        rows_out: rows in the written file, by its footer.
        quarantined: refused rows by reason.
        deduplicated: rows equal to an earlier one.
        erased: rows of erased users, and refused ones whose text names one.
        latest_valid: latest event time among valid rows.
        first_future: earliest event time quarantined as `future_time`.
    """

    rows_out: int
    quarantined: dict[str, int]
    deduplicated: int
    erased: int = 0
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
    *,
    again: Again | None = None,
    burst: BurstRule | None = None,
    erased: ErasedRows | None = None,
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
        again: judges those rows alone whose value in a column a table has; by default `judged` is asked for
            them, which may judge every row again.
        burst: how busy a user may be in a day; needs user_id and event_time.
        erased: finds rows of erased users, which go nowhere; None where nobody was erased.
    """
    # A refused row is a group of its own under its number, so that one scan tells which rows are refused and
    # which are equal; only the refused ones are looked at again, for their reasons.
    refused = ibis.ifelse(judged.reason.isnull(), ibis.literal(0, "int64"), judged.row)
    if erased is not None:
        refused = ibis.ifelse(erased.of(judged), ibis.literal(_ERASED, "int64"), refused)
    rows = _group(con, judged.mutate(refused=refused), key, columns)
    try:
        valid, bad = rows.filter(rows.refused == 0), rows.filter(rows.refused > 0)
        latest = _value(con, valid.event_time.max()) if "event_time" in columns else None
        some = again or judged.semi_join
        refusable = some(bad, "row")
        if burst is not None:
            busy = busy_days(con, valid, burst)
            if _value(con, busy.count()):
                drop_busy(con, _ROWS)
                sound = some(busy, "user_id").filter(lambda t: t.reason.isnull())
                refusable = with_bursts(refusable.union(sound), busy, burst)
        gone = 0
        if erased is not None:
            refusable, named = erased.leave_out(refusable.filter(refusable.reason.notnull()))
            gone = named + (_value(con, rows.filter(rows.refused == _ERASED).copies.sum()) or 0)
        quarantined = _write_refused(con, refusable, quarantine)
        deduplicated = _write_valid(con, valid, key, columns, out, earlier)
        return Written(
            rows_out=pq.read_metadata(out).num_rows,
            quarantined=quarantined,
            deduplicated=deduplicated,
            erased=gone,
            latest_valid=latest,
            first_future=_first_future(con, bad, quarantine) if "future_time" in quarantined else None,
        )
    finally:
        con.drop_table(_ROWS, force=True)
        con.drop_table(BUSY, force=True)
        if erased is not None:
            erased.drop()


def part_name(index: int, sha256: str) -> str:
    """File name of a part: place in the ledger and the raw file's digest."""
    return f"part-{index:05d}-{sha256[:8]}.parquet"


def to_parquet(con: Backend, table: ir.Table, path: Path) -> None:
    """Writes a table in its order, zstd, in row groups of a fixed size: equal tables give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    con.to_parquet(table, path, compression="zstd", row_group_size=ROW_GROUP)


def _group(con: Backend, judged: ir.Table, key: Sequence[str], columns: Sequence[str]) -> ir.Table:
    """Distinct keys with the other columns of their first row, `refused` and `copies`."""
    rest = [c for c in columns if c not in key and c not in ("file", "row")]
    firsts = {c: judged[c].argmin(judged.row) for c in rest}
    grouped = judged.group_by([*key, "refused"]).aggregate(
        **firsts, file=judged.file.min(), row=judged.row.min(), copies=judged.count()
    )
    return con.create_table(_ROWS, grouped, temp=True, overwrite=True)


def _write_refused(con: Backend, judged: ir.Table, path: Path) -> dict[str, int]:
    """Writes the refused rows where there are any, and counts by reason what is in the file."""
    rows = judged.filter(judged.reason.notnull()).order_by("row")
    path.parent.mkdir(parents=True, exist_ok=True)
    to_parquet(con, rows.select("file", "row", "reason", "reasons", "column", "raw"), path)
    written = con.read_parquet(path)
    counts = con.to_pyarrow(written.group_by("reason").aggregate(n=written.count()).order_by("reason"))
    found = {r["reason"]: r["n"] for r in counts.to_pylist()}
    if not found:
        path.unlink()
    return found


def _first_future(con: Backend, bad: ir.Table, quarantine: Path) -> datetime | None:
    written = con.read_parquet(quarantine)
    ahead = bad.semi_join(written.filter(written.reason == "future_time"), "row")
    first: datetime | None = _value(con, ahead.event_time.min())
    return first


def _write_valid(
    con: Backend,
    distinct: ir.Table,
    key: Sequence[str],
    columns: Sequence[str],
    out: Path,
    earlier: Sequence[Path],
) -> int:
    """Writes the first of equal rows that no earlier file has; returns how many others there were."""
    fresh, repeated = distinct, 0
    if earlier:
        taken = con.read_parquet([str(p) for p in earlier]).select(*key).distinct()
        same = [distinct[k].identical_to(taken[k]) for k in key]
        fresh = distinct.anti_join(taken, same)
        repeated = _value(con, distinct.semi_join(taken, same).copies.sum()) or 0
    to_parquet(con, fresh.order_by("row").select(*columns), out)
    return repeated + (_value(con, (fresh.copies - 1).sum()) or 0)


def _value(con: Backend, value: ir.Scalar) -> Any:
    return con.to_pyarrow(value).as_py()
