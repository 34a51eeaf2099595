"""CSV and JSON Lines staged as Parquet: every value as text, every row numbered, no broken line lost.

A line that cannot be a row (wrong number of fields) becomes a staged row whose `malformed` column holds its
text. Bytes that are not UTF-8 become U+FFFD, which the rules for ids then quarantine as `bad_encoding`. In
a CSV with an odd number of quotes some quote is never closed and would swallow the rows after it, so there
every line with an odd number of quotes is malformed. Blank lines are not rows.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from hier_dag.errors import SourceError
from hier_dag.ingest.sql import lacking

CHUNK = 1 << 20
BLOCK = 8 << 20  # bytes; the longest row that can be read
KEPT_TEXT = 2_000  # characters of a malformed line
_ODD_QUOTES = re.compile(rb'(?m)^[^"\n]*"(?:[^"\n]*"[^"\n]*")*[^"\n]*$')
_SEPARATOR = "\x01"  # not allowed unescaped in JSON, so a line that has it is broken anyway


def stage_csv(path: Path, mapping: Mapping[str, str], out: Path, place: Mapping[str, Any]) -> int:
    """Stages the mapped columns of a CSV (comma, header, RFC 4180 quotes; gz too) and returns its rows.

    Args:
        path: the file.
        mapping: canonical name to source column.
        out: Parquet to write: canonical names (text), row int64 from 1, malformed (text or null).
        place: domain and file, for errors.

    Raises:
        SourceError: when it is not readable text, or lacks a mapped column.
    """
    clean = _scrub(path, out, place, quotes=True)
    header = _header(clean, place)
    for column in mapping.values():
        if column not in header:
            raise lacking(column, header, place)
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
    return _stage(
        clean, pacsv.ReadOptions(use_threads=False, block_size=BLOCK), parse, convert, mapping, out, place
    )


def stage_lines(path: Path, out: Path, place: Mapping[str, Any]) -> int:
    """Stages the lines of a text file (gz too) as `line`, row int64 from 1, malformed; returns the lines.

    Raises:
        SourceError: when it is not readable text.
    """
    clean = _scrub(path, out, place, quotes=False)
    convert = pacsv.ConvertOptions(column_types={"line": pa.string()}, strings_can_be_null=False)
    parse = pacsv.ParseOptions(
        delimiter=_SEPARATOR,
        quote_char=False,
        double_quote=False,
        escape_char=False,
        newlines_in_values=False,
    )
    read = pacsv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=["line"])
    return _stage(clean, read, parse, convert, {"line": "line"}, out, place)


def _stage(
    path: Path,
    read: pacsv.ReadOptions,
    parse: pacsv.ParseOptions,
    convert: pacsv.ConvertOptions,
    mapping: Mapping[str, str],
    out: Path,
    place: Mapping[str, Any],
) -> int:
    first = 1 if read.column_names else 2  # the parser counts the header as row 1
    broken: list[tuple[int, str]] = []

    def keep(row: pacsv.InvalidRow) -> str:
        # A file in which every line is broken must not fill the memory with its own text.
        broken.append((row.number - first + 1, row.text[: KEPT_TEXT if len(broken) < 10_000 else 40]))
        return "skip"

    parse.invalid_row_handler = keep
    text = [pa.field(name, pa.string()) for name in mapping]
    schema = pa.schema([*text, pa.field("row", pa.int64()), pa.field("malformed", pa.string())])
    good = 0
    with pq.ParquetWriter(out, schema, compression="lz4") as writer:
        try:
            with pa.input_stream(str(path)) as raw, pacsv.open_csv(raw, read, parse, convert) as batches:
                for batch in batches:
                    # Numbers of the good rows that precede each broken one tell where the gaps are.
                    gaps = np.array([n for n, _ in broken], dtype=np.int64) - np.arange(1, len(broken) + 1)
                    k = np.arange(good + 1, good + 1 + batch.num_rows, dtype=np.int64)
                    rows = k + np.searchsorted(gaps, k, side="left")
                    columns = [batch.column(source) for source in mapping.values()]
                    nulls = pa.nulls(batch.num_rows, pa.string())
                    writer.write_batch(pa.record_batch([*columns, pa.array(rows), nulls], schema=schema))
                    good += batch.num_rows
        except (pa.ArrowInvalid, OSError) as e:
            raise _unreadable(e, place) from e
        if broken:
            numbers, texts = zip(*broken, strict=True)
            empty = [pa.nulls(len(broken), pa.string()) for _ in mapping]
            arrays = [*empty, pa.array(numbers, pa.int64()), pa.array(texts, pa.string())]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
    return good + len(broken)


def _header(path: Path, place: Mapping[str, Any]) -> list[str]:
    with _open(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as f:
        for record in csv.reader(f):
            if record:
                return record
    raise SourceError("no header and no row.", fix="deliver the file with a header line", **place)


def _scrub(path: Path, out: Path, place: Mapping[str, Any], *, quotes: bool) -> Path:
    """The file itself where it is sound; else a copy with bad bytes and unclosed quotes made visible."""
    try:
        valid, count = _scan(path, place)
        odd = quotes and count % 2 == 1
        if valid and not odd:
            return path
        copy = out.with_suffix(".clean")
        with _open(path) as raw, copy.open("wb") as f:
            while chunk := raw.read(CHUNK) + raw.readline():
                chunk = chunk.decode("utf-8", "replace").encode()
                f.write(_ODD_QUOTES.sub(_break_line, chunk) if odd else chunk)
        return copy
    except (OSError, EOFError, zlib.error) as e:
        raise _unreadable(e, place) from e


def _break_line(line: re.Match[bytes]) -> bytes:
    """The line without quotes and with more fields than any header of as many commas has."""
    text = line[0].replace(b'"', b"")
    return text.rstrip(b"\r") + b"," * 4096 + text[len(text.rstrip(b"\r")) :]


def _scan(path: Path, place: Mapping[str, Any]) -> tuple[bool, int]:
    """Whether all bytes are UTF-8, and how many of them are quotes."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    valid, count = True, 0
    with _open(path) as raw:
        head = True
        while chunk := raw.read(CHUNK):
            if head and chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise SourceError("the text is UTF-16.", fix="save it as UTF-8", **place)
            head = False
            count += chunk.count(b'"')
            valid = valid and _decodes(decoder, chunk)
    return valid and _decodes(decoder, b"", final=True), count


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _open(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _unreadable(error: BaseException, place: Mapping[str, Any]) -> SourceError:
    if isinstance(error, SourceError):
        return error
    return SourceError(
        f"the file cannot be read: {str(error).splitlines()[0] if str(error) else type(error).__name__}.",
        fix="deliver the file again: it is cut short, corrupt, or not in the declared format",
        **place,
    )
