"""A mended export of quarantined rows, read back as corrections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from hier_dag.errors import UsageError
from hier_dag.ingest.corrections import Corrections
from hier_dag.quarantine.export import LINE, PLACE, values_of
from hier_dag.quarantine.held import Held

_SHOWN = 5
Values = Mapping[str, str | None]
Line = tuple[int, str, int, dict[str, Any]]
"""Line of a mended export, raw file, row, values given."""


@dataclass(frozen=True)
class Mended:
    """What a mended export says.

    Attributes:
        records: one correction a changed row, columns as `hier_dag.ingest.corrections.SCHEMA`.
        unchanged: rows whose values are those that they had.
    """

    records: list[dict[str, Any]]
    unchanged: int


@dataclass(frozen=True)
class _Row:
    """A row that may be corrected: what it held, and its values as they are now; None for a broken line."""

    sha256: str
    before: str
    values: Values | None


def read_mended(path: Path, held: Held, recorded: Corrections) -> Mended:
    """Reads a mended export (`hier quarantine show DOMAIN --out FILE`) against the rows that it is of.

    Args:
        path: .csv or .jsonl: file, row, and the raw values; a value left out stays as it was, and one of a
            line that was no row is missing.
        held: the quarantine.
        recorded: earlier corrections: their rows may be corrected once more.

    Raises:
        UsageError: when the file cannot be read, names a row or column that there is not, or a row twice.
    """
    known = _known(held, recorded)
    columns = list(dict.fromkeys(c for rows in known.values() for r in rows for c in r.values or {}))
    records: dict[tuple[str, int], dict[str, Any]] = {}
    unchanged, strange = 0, []
    for number, file, row, given in _read(path):
        if (file, row) not in known:
            strange.append(f"line {number} ({file} row {row})")
            continue
        if (file, row) in records:
            raise UsageError(f"line {number} corrects {file} row {row} once more.", file=str(path))
        _refuse_wrong(path, number, given, columns)
        meant = next(
            (r for r in known[file, row] if set(given) <= set(r.values or given)), known[file, row][0]
        )
        values = _corrected(meant.values, given)
        if values is None:
            unchanged += 1
            continue
        text = json.dumps(values, ensure_ascii=False, sort_keys=True)
        place = {"sha256": meant.sha256, "location": file, "row": row}
        records[file, row] = {**place, "before": meant.before, "values": text}
    if strange:
        raise UsageError(
            f"{len(strange)} row(s) are not in the quarantine of {held.name}, such as "
            f"{', '.join(strange[:_SHOWN])}.",
            file=str(path),
            fix=f"start from: hier quarantine show {held.name} --out rows.jsonl",
        )
    return Mended(list(records.values()), unchanged)


def _known(held: Held, recorded: Corrections) -> dict[tuple[str, int], list[_Row]]:
    """Rows that may be corrected; a file that two sources read has two of a number."""
    digests = {f.location: f.sha256 for f in held.ledger.files}
    known: dict[tuple[str, int], list[_Row]] = {}
    for r in held.rows().to_pylist():
        row = _Row(digests[r["location"]], r["raw"], values_of(r))
        known.setdefault((r["location"], r["row"]), []).append(row)
    for r in recorded.table.to_pylist():
        if digests.get(r["location"]) == r["sha256"]:
            row = _Row(r["sha256"], r["before"], json.loads(r["values"]))
            known.setdefault((r["location"], r["row"]), []).insert(0, row)
    return known


def _corrected(before: Values | None, given: Values) -> dict[str, str | None] | None:
    """All values of a row with those given in place; None where they are what they were."""
    if before is None:
        kept: dict[str, str | None] = {c: v for c, v in given.items() if v}
        return kept or None
    # A CSV that was saved anew may have lost the difference between nothing and an empty text.
    changed = {c: v for c, v in given.items() if (v or None) != (before.get(c) or None)}
    return {**before, **changed} if changed else None


def _refuse_wrong(path: Path, number: int, given: Mapping[str, Any], columns: list[str]) -> None:
    unknown = [c for c in given if c not in columns]
    if unknown and columns:
        raise UsageError(
            f"line {number} has a value for {unknown[0]!r}; the source columns are {', '.join(columns)}.",
            file=str(path),
            column=unknown[0],
            fix="give values under the names of the source columns",
        )
    wrong = [c for c, v in given.items() if v is not None and not isinstance(v, str)]
    if wrong:
        raise UsageError(
            f"line {number}: {wrong[0]} must be text or null, as raw values are.",
            file=str(path),
            column=wrong[0],
            fix="write numbers in quotes",
        )


def _read(path: Path) -> Iterator[Line]:
    if path.suffix not in (".csv", ".jsonl"):
        raise UsageError("corrections are read from .csv or .jsonl.", file=str(path))
    try:
        yield from _read_csv(path) if path.suffix == ".csv" else _read_lines(path)
    except OSError as e:
        raise UsageError(f"cannot be read: {e.strerror or e}.", file=str(path)) from e
    except (ValueError, KeyError, TypeError, pa.ArrowInvalid) as e:
        raise UsageError(
            f"not an export of quarantined rows: {str(e) or type(e).__name__}.",
            file=str(path),
            fix="keep the columns file and row as they were exported",
        ) from e


def _read_csv(path: Path) -> Iterator[Line]:
    text = pacsv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""])
    parse = pacsv.ParseOptions(newlines_in_values=True)
    text.column_types = dict.fromkeys(pacsv.open_csv(path, parse_options=parse).schema.names, pa.string())
    ours = {f"values.{name}": name for name in (*PLACE, LINE)}
    for number, record in enumerate(pacsv.read_csv(path, None, parse, text).to_pylist(), 2):
        # An empty cell stays as it was: columns of another file are empty in this row.
        given = {k: v for k, v in record.items() if k not in (*PLACE, LINE) and v is not None}
        values = {ours.get(k, k): v for k, v in given.items()}
        yield number, record["file"], int(record["row"]), values


def _read_lines(path: Path) -> Iterator[Line]:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            record = json.loads(line)
            if not isinstance(record["row"], int):
                raise ValueError(f"line {number}: row must be a whole number")
            yield number, record["file"], record["row"], dict(record.get("values") or {})
