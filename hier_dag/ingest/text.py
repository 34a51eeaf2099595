"""CSV and JSON Lines staged as Parquet: every value as text, every row numbered, no broken line lost.

A line that cannot be a row (wrong number of fields) becomes a staged row whose `malformed` column holds its
text. Bytes that are not UTF-8 become U+FFFD, which the rules for ids then quarantine as `bad_encoding`. In
a CSV with an odd number of quotes some quote is never closed and would swallow the rows after it, so there
every line with an odd number of quotes is malformed. Blank lines are not rows.
"""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from hier_dag.errors import SourceError
from hier_dag.ingest.decompress import Bounds, open_bounded
from hier_dag.ingest.row_sample import ROWS
from hier_dag.ingest.scrub import BLOCK, CHUNK, scrub, unreadable
from hier_dag.ingest.source_columns import check_columns

KEPT_TEXT = 2_000  # characters of a malformed line
BROKEN_KEPT = 50_000  # malformed lines held before they are written
_SEPARATOR = "\x01"  # not allowed unescaped in JSON, so a line that has it is broken anyway


def stage_csv(
    path: Path,
    mapping: Mapping[str, str],
    out: Path,
    bounds: Bounds,
    place: Mapping[str, Any],
    extra: str = "allow",
) -> tuple[int, dict[str, str]]:
    """Stages the mapped columns of a CSV (comma, header, RFC 4180 quotes; gz too).

    Args:
        path: the file.
        mapping: canonical name to source column.
        out: Parquet to write: canonical names (text), row int64 from 1, malformed (text or null).
        bounds: how much it may become.
        place: domain and file, for errors.
        extra: allow or refuse columns that the mapping does not name.

    Returns:
        Number of rows, and every column of the header with its type, which is `text`.

    Raises:
        SourceError: when it is not readable text, has other columns than it should, or becomes too much.
    """
    clean = scrub(path, out, bounds, place, quotes=True)
    header, first = _head(clean, bounds, place)
    rows = [dict(zip(header, r, strict=False)) for r in first]
    check_columns(header, list(mapping.values()), extra, place, lambda: rows)
    for column in mapping.values():
        if header.count(column) > 1:
            raise SourceError(
                "the header names this column twice.", column=column, fix="rename one of them", **place
            )
    wanted = list(dict.fromkeys(mapping.values()))
    convert = pacsv.ConvertOptions(
        include_columns=wanted,
        column_types=dict.fromkeys(wanted, pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    parse = pacsv.ParseOptions(newlines_in_values=True)
    read = pacsv.ReadOptions(use_threads=False, block_size=BLOCK)
    with _stream(clean, bounds, place) as raw:
        return _stage(raw, read, parse, convert, mapping, out, place), dict.fromkeys(header, "text")


def stage_lines(path: Path, out: Path, bounds: Bounds, place: Mapping[str, Any]) -> int:
    """Stages the lines of a text file (gz too) as `line`, row int64 from 1, malformed; returns the lines.

    Raises:
        SourceError: when it is not readable text, or becomes too much.
    """
    clean = scrub(path, out, bounds, place, quotes=False)
    convert = pacsv.ConvertOptions(column_types={"line": pa.string()}, strings_can_be_null=False)
    parse = pacsv.ParseOptions(
        delimiter=_SEPARATOR,
        quote_char=False,
        double_quote=False,
        escape_char=False,
        newlines_in_values=False,
    )
    read = pacsv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=["line"])
    with _stream(clean, bounds, place) as raw:
        return _stage(raw, read, parse, convert, {"line": "line"}, out, place)


def _stream(path: Path, bounds: Bounds, place: Mapping[str, Any]) -> pa.NativeFile:
    if path.suffix == ".gz":
        return pa.PythonFile(open_bounded(path, bounds, place), mode="r")
    # Not by the suffix: Arrow would decompress .zst or .bz2 without bounds.
    return pa.input_stream(str(path), compression=None)


def _stage(
    raw: pa.NativeFile,
    read: pacsv.ReadOptions,
    parse: pacsv.ParseOptions,
    convert: pacsv.ConvertOptions,
    mapping: Mapping[str, str],
    out: Path,
    place: Mapping[str, Any],
) -> int:
    first = 1 if read.column_names else 2  # the parser counts the header as row 1
    numbers, texts = array("q"), list[str]()

    def keep(row: pacsv.InvalidRow) -> str:
        # A file in which every line is broken must not fill the memory with its own text.
        texts.append(row.text[: KEPT_TEXT if len(numbers) < 10_000 else 40])
        numbers.append(row.number - first + 1)
        return "skip"

    parse.invalid_row_handler = keep
    text = [pa.field(name, pa.string()) for name in mapping]
    schema = pa.schema([*text, pa.field("row", pa.int64()), pa.field("malformed", pa.string())])
    good = written = 0

    def write_broken(writer: pq.ParquetWriter) -> int:
        empty = [pa.nulls(len(texts), pa.string()) for _ in mapping]
        arrays = [*empty, pa.array(numbers[written:], pa.int64()), pa.array(texts, pa.string())]
        writer.write_batch(pa.record_batch(arrays, schema=schema))
        texts.clear()
        return len(numbers)

    with pq.ParquetWriter(out, schema, compression="lz4") as writer:
        try:
            with pacsv.open_csv(raw, read, parse, convert) as batches:
                for batch in batches:
                    # Numbers of the good rows that precede each broken one tell where the gaps are.
                    gaps = np.array(numbers, dtype=np.int64) - np.arange(1, len(numbers) + 1)
                    k = np.arange(good + 1, good + 1 + batch.num_rows, dtype=np.int64)
                    rows = k + np.searchsorted(gaps, k, side="left")
                    columns = [batch.column(source) for source in mapping.values()]
                    nulls = pa.nulls(batch.num_rows, pa.string())
                    writer.write_batch(pa.record_batch([*columns, pa.array(rows), nulls], schema=schema))
                    good += batch.num_rows
                    if len(texts) > BROKEN_KEPT:
                        written = write_broken(writer)
        except (pa.ArrowInvalid, OSError) as e:
            raise unreadable(e, place) from e
        if texts:
            write_broken(writer)
    return good + len(numbers)


def _head(path: Path, bounds: Bounds, place: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """The header and the first rows."""
    with open_bounded(path, bounds, place) as raw:
        head = raw.read(CHUNK)
    lines = io.StringIO(head.decode("utf-8-sig", "replace"), newline="")
    fix = "deliver the file with a header line"
    try:
        records = (r for r in csv.reader(lines) if r)
        record = next(records, None)
        whole = len(head) < CHUNK or lines.tell() < len(lines.getvalue())
    except csv.Error as e:
        raise SourceError(f"the header cannot be read: {e}.", fix=fix, **place) from e
    if record is None:
        raise SourceError("no header and no row.", fix=fix, **place)
    if not whole:
        raise SourceError(f"the header is longer than {CHUNK >> 20} MiB.", fix=fix, **place)
    return record, _first(records)


def _first(records: Iterator[list[str]]) -> list[list[str]]:
    try:
        return list(islice(records, ROWS))
    except csv.Error:
        return []
