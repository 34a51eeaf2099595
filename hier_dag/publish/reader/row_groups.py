"""A Parquet file by row groups: what is asked for is decoded once and kept within a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hier_dag.errors import StoreError
from hier_dag.publish.reader.reading import RERUN, reading

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


class RowGroups:
    """Row groups of a file, safe to read from several threads.

    Args:
        buffer: the file's bytes.
        file: what it is called in messages.
        columns: the columns to read.
        kept: bytes of decoded row groups that are kept; the one used last always is.

    Attributes:
        rows: number of rows.
        starts: int64 [row groups + 1], first row of each.

    Raises:
        StoreError: when it is no Parquet file, or lacks a column.
    """

    def __init__(self, buffer: pa.Buffer, file: str, columns: list[str], kept: int) -> None:
        self.file = file
        self._buffer, self._columns, self._kept = buffer, columns, kept
        self._decoded: OrderedDict[int, pa.Table] = OrderedDict()
        self._lock = threading.Lock()
        with reading(file):
            self._meta = pq.read_metadata(pa.BufferReader(buffer))
            self.schema = self._meta.schema.to_arrow_schema()
        missing = [name for name in columns if name not in self.schema.names]
        if missing:
            raise StoreError("the column is missing", file=file, column=missing[0], fix=RERUN)
        sizes = [self._meta.row_group(g).num_rows for g in range(self._meta.num_row_groups)]
        self.starts: IntArray = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self.rows = int(self.starts[-1])

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, group: int) -> pa.Table:
        """One row group's columns, each in one piece.

        Raises:
            StoreError: when its pages cannot be read.
        """
        with self._lock:
            if group in self._decoded:
                self._decoded.move_to_end(group)
                return self._decoded[group]
        table = self._read([group], self._columns)
        with self._lock:
            self._decoded[group] = table
            while len(self._decoded) > 1 and sum(t.nbytes for t in self._decoded.values()) > self._kept:
                self._decoded.popitem(last=False)
        return table

    def column(self, name: str) -> pa.Array:
        """One whole column of strings, as large_string [rows] in one piece."""
        texts = self._read(range(len(self)), [name], threads=True)[name]
        with reading(self.file):
            return pc.cast(texts, pa.large_string()).combine_chunks()

    def bounds(self, key: str) -> tuple[pa.Array, pa.Array]:
        """First and last value of a sorted column in each row group: large_string [row groups] each.

        From the footer; a row group whose ids are too long for statistics is read.
        """
        at = self.schema.names.index(key)
        pairs = [self._bounds(group, at, key) for group in range(len(self))]
        low, high = ([pair[side] for pair in pairs] for side in (0, 1))
        return pa.array(low, pa.large_string()), pa.array(high, pa.large_string())

    def _bounds(self, group: int, at: int, key: str) -> tuple[str, str]:
        with reading(self.file):
            statistics = self._meta.row_group(group).column(at).statistics
            if statistics is not None and statistics.has_min_max:
                return statistics.min, statistics.max
        ids = self._read([group], [key])[key]
        return (ids[0].as_py(), ids[-1].as_py()) if len(ids) else ("", "")

    def _read(self, groups: list[int] | range, columns: list[str], threads: bool = False) -> pa.Table:
        with reading(self.file):
            # A reader of its own for each call: pyarrow's is not made for several threads.
            file = pq.ParquetFile(pa.BufferReader(self._buffer), metadata=self._meta)
            table = file.read_row_groups(list(groups), columns=columns, use_threads=threads)
            if any(_nulls(table[name]) for name in columns if name != "name"):
                raise ValueError("a value is null")
            return table.combine_chunks()


def _nulls(column: pa.ChunkedArray) -> int:
    """Nulls in a column, and in the lists that it holds."""
    lists = column.chunks if pa.types.is_fixed_size_list(column.type) else []
    return int(column.null_count + sum(chunk.flatten().null_count for chunk in lists))


def matrix(column: pa.ChunkedArray, dim: int) -> FloatArray:
    """A column of fixed-size lists as float32 [rows, dim], without a copy where it is in one piece."""
    pieces = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    flat = pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, np.float32), *pieces])
    return np.asarray(flat, dtype=np.float32).reshape(len(column), dim)


def list_size(schema: pa.Schema, file: str) -> int:
    """Length of the vectors of a file.

    Raises:
        StoreError: when its vectors are no fixed-size lists of float32.
    """
    kind = schema.field("vector").type
    if not pa.types.is_fixed_size_list(kind) or not pa.types.is_float32(kind.value_type):
        raise StoreError(
            f"vectors are {kind}, not a fixed-size list of float32", file=file, column="vector", fix=RERUN
        )
    return int(kind.list_size)


def find(sorted_ids: pa.Array, wanted: pa.Array) -> IntArray:
    """Row of each wanted id in sorted unique ids, -1 where it is not among them; int64 [wanted]."""
    if not len(sorted_ids):
        return np.full(len(wanted), -1, np.int64)
    at = pc.search_sorted(sorted_ids, wanted).to_numpy(zero_copy_only=False).astype(np.int64)
    at = np.minimum(at, len(sorted_ids) - 1)
    there = pc.equal(sorted_ids.take(pa.array(at)), wanted).to_numpy(zero_copy_only=False)
    return np.where(there, at, -1)


def check_sorted(ids: pa.Array, file: str, column: str) -> None:
    """Refuses ids that are not unique and in byte order, which would not be found.

    Raises:
        StoreError: when two neighbours are equal or the wrong way round.
    """
    if len(ids) > 1 and not pc.all(pc.less(ids[:-1], ids[1:])).as_py():
        raise StoreError("ids are not unique and in byte order", file=file, column=column, fix=RERUN)
