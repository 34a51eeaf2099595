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
SUFFIXES = (".csv", ".jsonl", ".parquet")


def values_of(raw: str) -> dict[str, str | None] | None:
    """The raw values of a quarantined row by source column; None where the line was no row at all."""
    try:
        parsed = json.loads(raw)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def write_rows(rows: pa.Table, path: Path) -> None:
    """Writes quarantined rows as `Held.rows` gives them, in the format that the suffix names.

    A CSV has a column for every source column; JSON Lines have an object `values`, Parquet the raw text.

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
    values = values_of(row["raw"])
    place = {"file": row["location"], **{k: row[k] for k in PLACE[1:]}}
    return {**place, "values": values} if values is not None else {**place, "line": row["raw"]}


def _flat(rows: pa.Table) -> pa.Table:
    parsed = [values_of(raw) or {} for raw in rows["raw"].to_pylist()]
    names = list(dict.fromkeys(name for values in parsed for name in values))
    reasons = [" ".join(r) for r in rows["reasons"].to_pylist()]
    columns: dict[str, Any] = {
        "file": rows["location"],
        "row": rows["row"],
        "reason": rows["reason"],
        "reasons": pa.array(reasons, pa.string()),
        "column": rows["column"],
    }
    for name in names:
        # A source column that is called like one of ours keeps its values under a name of its own.
        shown = f"values.{name}" if name in columns else name
        columns[shown] = pa.array([values.get(name) for values in parsed], pa.string())
    return pa.table(columns)
