"""Every raw input as an Ibis table: the mapped columns under canonical names, rows numbered, none dropped.

| format | read | ids |
|---|---|---|
| Parquet | in place by DuckDB, typed | text or integers, else refused |
| CSV, JSON Lines (gz too) | staged as text, then by DuckDB | as written |
| SQL | cast to text by the database, staged, then by DuckDB | as the database writes them |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from hier_dag.config.models import PlatformConfig
from hier_dag.config.sources import TableSource
from hier_dag.engine_functions import json_extract_string, json_type, json_valid
from hier_dag.errors import SourceError
from hier_dag.ingest import sql, text
from hier_dag.ingest.decompress import Bounds
from hier_dag.ingest.fingerprint import RawInput
from hier_dag.ingest.json_keys import check_keys, pointer
from hier_dag.ingest.row_sample import ROWS, as_text, shown
from hier_dag.ingest.source_columns import check_columns

_BAD_FILE = (
    duckdb.IOException,
    duckdb.InvalidInputException,
    duckdb.ConversionException,
    duckdb.SerializationException,
    duckdb.OutOfRangeException,
    duckdb.OutOfMemoryException,
)


@dataclass(frozen=True)
class RawTable:
    """A raw input that can be queried.

    Attributes:
        table: canonical names with the values as given, `row` int64 (1-based), `malformed` (text of a broken
            row, else null).
        rows: rows of the input, counted while it was read or from its own footer, not by the queries on it.
        columns: every column of the input, mapped or not, with its type in the words of the format. Text has
            no types; of JSON Lines, the kinds of value in the first 1,000 lines.
    """

    table: ir.Table
    rows: int
    columns: Mapping[str, str]


def read_raw(
    con: Backend,
    config: PlatformConfig,
    source: TableSource,
    raw: RawInput,
    mapping: Mapping[str, str],
    ids: frozenset[str],
    staged: Path,
) -> RawTable:
    """Opens one raw input.

    Args:
        con: the engine.
        config: the platform, for `data`.
        source: the declaration that names the input.
        raw: the input.
        mapping: canonical name to source column.
        ids: canonical names that are ids: text or integers only.
        staged: Parquet file to stage in where the format needs it.

    Raises:
        SourceError: when it cannot be read, is not what was fingerprinted, or lacks a mapped column.
    """
    place = {"domain": raw.domain, "file": raw.location}
    if raw.format == "sql":
        columns = sql.columns_of(config, source, raw.domain)
        rows = _stage_sql(config, source, raw, mapping, staged)
        return RawTable(con.read_parquet(staged), rows, columns)
    path = config.data_dir() / raw.location
    _same_size(path, raw)
    bounds, extra = Bounds.of(config.stages.ingest), source.extra_columns
    if raw.format == "csv":
        rows, columns = text.stage_csv(path, mapping, staged, bounds, place, extra)
        return RawTable(con.read_parquet(staged), rows, columns)
    if raw.format == "jsonl":
        rows = text.stage_lines(path, staged, bounds, place)
        lines = con.read_parquet(staged)
        with reading(place):
            columns = check_keys(con, lines, list(mapping.values()), extra, place)
        return RawTable(_json(lines, mapping, ids), rows, columns)
    return _parquet(con, path, mapping, ids, bounds, place, extra)


@contextmanager
def reading(place: Mapping[str, Any]) -> Iterator[None]:
    """Turns the engine's complaint about a file into a `SourceError` that names it."""
    try:
        yield
    except _BAD_FILE as e:
        raise _corrupt(e, place) from e


def _corrupt(error: BaseException, place: Mapping[str, Any]) -> SourceError:
    return SourceError(
        f"the file cannot be read: {str(error).splitlines()[0] if str(error) else type(error).__name__}.",
        fix="deliver the file again: it is cut short, corrupt, or not in the declared format",
        **place,
    )


def _same_size(path: Path, raw: RawInput) -> None:
    size = path.stat().st_size if path.is_file() else -1
    if size != raw.bytes:
        raise SourceError(
            f"the file changed while it was ingested ({raw.bytes} bytes when hashed, now {max(size, 0)}).",
            domain=raw.domain,
            file=raw.location,
            fix="write log files under another name and rename them when they are whole; then run again",
        )


def _parquet(
    con: Backend,
    path: Path,
    mapping: Mapping[str, str],
    ids: frozenset[str],
    bounds: Bounds,
    place: Mapping[str, Any],
    extra: str,
) -> RawTable:
    try:
        footer = pq.ParquetFile(path)
        schema, rows = footer.schema_arrow, footer.metadata.num_rows
        groups = [footer.metadata.row_group(i) for i in range(footer.num_row_groups)]
    except (pa.ArrowException, OSError) as e:
        raise _corrupt(e, place) from e
    size = path.stat().st_size
    bounds.check(rows, size, place, "claims a number of rows that is")
    bounds.check(sum(g.total_byte_size for g in groups), size, place, "claims to become")
    check_columns(schema.names, list(mapping.values()), extra, place, lambda: _first_rows(footer))
    with reading(place):
        # Read as a table function, not registered by pattern: a name with [ or * is one file.
        table = con.read_parquet(_literal(path), file_row_number=True)
    # A column of nulls alone has a type of its own, which the engine does not know: pandas writes such ones.
    nothing = [f.name for f in schema if pa.types.is_null(f.type) and f.name in mapping.values()]
    if nothing:
        table = table.mutate(**dict.fromkeys(nothing, ibis.null("string")))
    for key in sorted(ids & set(mapping)):
        _check_id(table[mapping[key]], mapping[key], place, footer)
    columns = {k: table[v].cast("string") if k in ids else table[v] for k, v in mapping.items()}
    row = (table.file_row_number + 1).cast("int64")
    types = {field.name: str(field.type) for field in schema}
    return RawTable(table.select(**columns, row=row, malformed=ibis.null("string")), rows, types)


def _first_rows(footer: pq.ParquetFile) -> list[dict[str, Any]]:
    try:
        batch = next(footer.iter_batches(batch_size=ROWS), None)
    except (pa.ArrowException, OSError):
        return []  # a sample beside an error; the error itself is what counts
    return [] if batch is None else [{k: as_text(v) for k, v in r.items()} for r in batch.to_pylist()]


def _literal(path: Path) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))


def _check_id(column: ir.Column, name: str, place: Mapping[str, Any], footer: pq.ParquetFile) -> None:
    if column.type().is_string() or column.type().is_integer():
        return
    sample = _first_rows(footer)
    raise SourceError(
        f"ids must be text or integers, this column is {column.type()}.{shown(sample)}",
        column=name,
        fix="write the ids as text or int64; an integer column with gaps becomes floats in pandas",
        detail={"type": str(column.type()), "sample": sample},
        **place,
    )


def _json(table: ir.Table, mapping: Mapping[str, str], ids: frozenset[str]) -> ir.Table:
    sound = table.malformed.isnull() & json_valid(table.line)
    table = table.mutate(sound=sound & (json_type(ibis.ifelse(sound, table.line, "0"), "") == "OBJECT"))
    line = ibis.ifelse(table.sound, table.line, "{}")
    values = {k: json_extract_string(line, pointer(v)) for k, v in mapping.items()}
    # An id that is a float, a list or a boolean has no exact text form.
    exact: ir.BooleanValue = table.sound
    for key in sorted(ids & set(mapping)):
        kind = json_type(line, pointer(mapping[key]))
        number = values[key].re_search(r"^-?[0-9]+$")
        exact = exact & (kind.isnull() | kind.isin(["VARCHAR", "NULL"]) | (number & (kind != "BOOLEAN")))
    broken = ibis.coalesce(table.malformed, table.line[: text.KEPT_TEXT])
    return table.select(**values, row=table.row, malformed=ibis.ifelse(exact, ibis.null("string"), broken))


def _stage_sql(
    config: PlatformConfig, source: TableSource, raw: RawInput, mapping: Mapping[str, str], out: Path
) -> int:
    text_fields = [pa.field(name, pa.string()) for name in mapping]
    schema = pa.schema([*text_fields, pa.field("row", pa.int64()), pa.field("malformed", pa.string())])
    rows = 0
    with pq.ParquetWriter(out, schema, compression="lz4") as writer:
        for batch in sql.read_arrow(config, source, mapping, raw.domain):
            n = batch.num_rows
            numbers = pa.array(np.arange(rows + 1, rows + n + 1))
            writer.write_table(pa.table([*batch.columns, numbers, pa.nulls(n, pa.string())], schema=schema))
            rows += n
    return rows
