"""Quarantined rows as a file that people can mend and hand back: CSV, JSON Lines or Parquet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from hier_dag.errors import UsageError

PLACE = ("file", "row", "reason", "reasons", "column")
"""Columns of an exported row that say where it lies and what is wrong; the others are its raw values."""
LINE = "line"
"""Column of an exported row whose line was no row: the line itself."""


def values_of(row: Mapping[str, Any]) -> dict[str, str | None] | None:
    """The raw values of a quarantined row by source column; None where its line was no row."""
    if "malformed_row" in row["reasons"]:
        return None
    values: dict[str, str | None] = json.loads(row["raw"])
    return values


def write_rows(rows: pa.Table, path: Path) -> None:
    """Writes quarantined rows as `Held.rows` gives them, in the format that the suffix names.

    A CSV has a column for every source column; JSON Lines have an object `values`, Parquet the raw text. A
    line that was no row is in `line`. Values are as they are: a spreadsheet takes one that begins with =
    for a formula.

    Raises:
        UsageError: when the suffix names no known format, or the file cannot be written.
    """
    try:
        if path.suffix == ".parquet":
            pq.write_table(rows, path)
        elif path.suffix == ".jsonl":
            lines = (json.dumps(_record(r), ensure_ascii=False) for r in rows.to_pylist())
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        elif path.suffix == ".csv":
            pacsv.write_csv(_flat(rows), path)
        else:
            raise UsageError(
                f"no format is known for {path.suffix!r}.",
                file=str(path),
                fix="end the name in .csv, .jsonl or .parquet",
            )
    except OSError as e:
        raise UsageError(
            f"cannot be written: {e.strerror or e}.",
            file=str(path),
            fix="name a file in a folder that exists",
        ) from e


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    values = values_of(row)
    place = {"file": row["location"], **{k: row[k] for k in PLACE[1:]}}
    return {**place, "values": values} if values is not None else {**place, "line": row["raw"]}


def _flat(rows: pa.Table) -> pa.Table:
    records = rows.to_pylist()
    parsed = [values_of(r) for r in records]
    names = list(dict.fromkeys(name for values in parsed for name in values or {}))
    columns: dict[str, Any] = {
        "file": rows["location"],
        "row": rows["row"],
        "reason": rows["reason"],
        "reasons": pa.array([" ".join(r["reasons"]) for r in records], pa.string()),
        "column": rows["column"],
    }
    if None in parsed:
        lines = [r["raw"] if values is None else None for r, values in zip(records, parsed, strict=True)]
        columns[LINE] = pa.array(lines, pa.string())
    for name in names:
        # A source column that is called like one of ours keeps its values under a name of its own.
        shown = f"values.{name}" if name in (*PLACE, LINE) else name
        columns[shown] = pa.array([(values or {}).get(name) for values in parsed], pa.string())
    return pa.table(columns)
