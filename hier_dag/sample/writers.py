"""Writes raw rows in each format, a block at a time, byte for byte the same on every run."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from hier_dag.sample.services import Service

_GZIP_LEVEL = 4


class Writer(Protocol):
    """Takes the rows of one file, then closes it."""

    def write(self, rows: pa.Table, numbers: dict[str, pa.Array]) -> None:
        """Appends rows; `numbers` says per column which of its rows are numbers (JSON alone asks)."""

    def close(self) -> None:
        """Completes the file."""


def open_writer(path: Path, service: Service) -> Writer:
    """A writer of one file of a service's log, whose folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if service.format == "parquet":
        return ParquetLog(path)
    if service.format == "sqlite":
        assert service.table is not None
        return SqliteLog(path, service.table)
    return CsvLog(path) if service.format == "csv" else JsonLinesLog(path)


def _open(path: Path, files: ExitStack) -> IO[bytes] | gzip.GzipFile:
    plain = files.enter_context(path.open("wb"))
    if path.suffix != ".gz":
        return plain
    # No name and no time of writing in the header: the same rows give the same bytes.
    return files.enter_context(
        gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=plain, mtime=0)
    )


class ParquetLog:
    """One Parquet file, a row group a block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, rows: pa.Table, numbers: dict[str, pa.Array]) -> None:
        """Appends a row group."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, rows.schema, compression="zstd")
        self._writer.write_table(rows)

    def close(self) -> None:
        """Writes the footer."""
        if self._writer is not None:
            self._writer.close()


class CsvLog:
    """One CSV file with a header, gzipped where its name says so; null and empty are both nothing."""

    def __init__(self, path: Path) -> None:
        self._files = ExitStack()
        self._file = _open(path, self._files)
        self._header = True

    def write(self, rows: pa.Table, numbers: dict[str, pa.Array]) -> None:
        """Appends lines."""
        options = pacsv.WriteOptions(include_header=self._header, quoting_style="none")
        pacsv.write_csv(rows, self._file, options)
        self._header = False

    def close(self) -> None:
        """Closes the file."""
        self._files.close()


class JsonLinesLog:
    """One file of JSON objects, a line each, gzipped where its name says so. Ids need no escapes."""

    def __init__(self, path: Path) -> None:
        self._files = ExitStack()
        self._file = _open(path, self._files)

    def write(self, rows: pa.Table, numbers: dict[str, pa.Array]) -> None:
        """Appends lines."""
        if not len(rows):
            return
        parts: list[Any] = []
        for i, name in enumerate(rows.column_names):
            column = rows.column(name).combine_chunks()
            token = pc.binary_join_element_wise('"', column, '"', "")
            if name in numbers:
                token = pc.if_else(numbers[name], column, token)
            parts += [("{" if i == 0 else ", ") + f'"{name}": ', pc.fill_null(token, "null")]
        lines = pc.binary_join_element_wise(*parts, "}\n", "")
        whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
        self._file.write(pc.binary_join(whole, "")[0].as_buffer())

    def close(self) -> None:
        """Closes the file."""
        self._files.close()


class SqliteLog:
    """One table of an SQLite file, every column TEXT."""

    def __init__(self, path: Path, table: str) -> None:
        self._table = table
        # Nothing to recover: a file that was not completed is never looked at.
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._created = False

    def write(self, rows: pa.Table, numbers: dict[str, pa.Array]) -> None:
        """Inserts rows in one transaction."""
        if not self._created:
            columns = ", ".join(f'"{name}" TEXT' for name in rows.column_names)
            self._connection.execute(f'CREATE TABLE "{self._table}" ({columns})')
            self._created = True
        holes = ", ".join("?" * rows.num_columns)
        values = zip(*(column.to_pylist() for column in rows.columns), strict=True)
        self._connection.execute("BEGIN")
        self._connection.executemany(f'INSERT INTO "{self._table}" VALUES ({holes})', values)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()
