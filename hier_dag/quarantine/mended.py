"""A mended export of quarantined rows, read back as corrections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from hier_dag.errors import UsageError
from hier_dag.quarantine.export import PLACE, values_of
from hier_dag.quarantine.held import Held

_SHOWN = 5


@dataclass(frozen=True)
class Mended:
    """What a mended export says.

    Attributes:
        records: one correction a changed row: sha256, location, row, values (JSON text of all its values).
        unchanged: rows whose values are those that were quarantined.
    """

    records: list[dict[str, Any]]
    unchanged: int


def read_mended(path: Path, held: Held) -> Mended:
    """Reads a mended export (`hier quarantine show DOMAIN --out FILE`) against the quarantine that it is of.

    Args:
        path: .csv or .jsonl: file, row, and the raw values; a value left out stays as it was.
        held: the quarantine.

    Raises:
        UsageError: when the file cannot be read, or names a row or column that the quarantine lacks.
    """
    rows = held.rows()
    known = {(r["location"], r["row"]): values_of(r["raw"]) for r in rows.to_pylist()}
    digests = {f.location: f.sha256 for f in held.ledger.files}
    columns = list(dict.fromkeys(c for values in known.values() for c in values or {}))
    records, unchanged, strange = [], 0, []
    for number, file, row, given in _read(path):
        if (file, row) not in known:
            strange.append(f"line {number} ({file} row {row})")
            continue
        _refuse_unknown(path, number, given, columns)
        before = known[file, row] or {}
        values = {**before, **given}
        if values == before:
            unchanged += 1
            continue
        text = json.dumps(values, ensure_ascii=False, sort_keys=True)
        records.append({"sha256": digests[file], "location": file, "row": row, "values": text})
    if strange:
        raise UsageError(
            f"{len(strange)} row(s) are not in the quarantine of {held.name}, such as "
            f"{', '.join(strange[:_SHOWN])}.",
            file=str(path),
            fix=f"start from: hier quarantine show {held.name} --out {path.name}",
        )
    return Mended(records, unchanged)


def _refuse_unknown(path: Path, number: int, given: Mapping[str, Any], columns: Sequence[str]) -> None:
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


def _read(path: Path) -> Iterator[tuple[int, str, int, dict[str, Any]]]:
    """(line, file, row, values given) of every row of a mended export."""
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


def _read_csv(path: Path) -> Iterator[tuple[int, str, int, dict[str, Any]]]:
    text = pacsv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""])
    header = pacsv.open_csv(path, parse_options=pacsv.ParseOptions(newlines_in_values=True)).schema.names
    text.column_types = dict.fromkeys(header, pa.string())
    parse = pacsv.ParseOptions(newlines_in_values=True)
    for number, record in enumerate(pacsv.read_csv(path, None, parse, text).to_pylist(), 2):
        values = {k.removeprefix("values."): v for k, v in record.items() if k not in PLACE}
        yield number, record["file"], int(record["row"]), values


def _read_lines(path: Path) -> Iterator[tuple[int, str, int, dict[str, Any]]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            record = json.loads(line)
            yield number, record["file"], int(record["row"]), dict(record.get("values") or {})
