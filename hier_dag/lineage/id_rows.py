"""Rows of Parquet files that carry some ids, a row group after the other.

`pyarrow.dataset`, `pa.array` and `to_numpy` would load pandas, which takes longer than most questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hier_dag.graph.reading import reading


def strings(ids: Sequence[str]) -> pa.StringArray:
    """Ids as an array, in their order."""
    texts = [one.encode() for one in ids]
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(texts)))


def rows_with(file: Path, key: str, ids: pa.StringArray, columns: Sequence[str]) -> pa.Table:
    """Rows whose key is one of some ids, in the order of the file.

    Args:
        file: Parquet.
        key: a column of strings.
        ids: original ids.
        columns: to read; the others are left out.

    Raises:
        StoreError: the file cannot be read, or lacks a column.
    """
    with reading(file), pq.ParquetFile(file) as parquet:
        schema = parquet.schema_arrow
        wanted = pa.schema([schema.field(name) for name in columns])
        found = [
            parquet.read_row_group(group, columns=list(columns)).filter(mask).select(columns)
            for group, mask in _groups(parquet, key, ids)
        ]
        return pa.concat_tables(found) if found else wanted.empty_table()


def numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """A column of integers without nulls, int64 [rows]."""
    return np.from_dlpack(column.combine_chunks()).astype(np.int64)


def _groups(parquet: pq.ParquetFile, key: str, ids: pa.StringArray) -> Iterator[tuple[int, pa.ChunkedArray]]:
    """Row groups that have one of the ids, each with which of its rows do: bool [rows]."""
    ends = pc.min_max(ids)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    for group in range(parquet.num_row_groups if len(ids) else 0):
        if _may_hold(parquet.metadata.row_group(group), key, low, high):
            mask = pc.is_in(parquet.read_row_group(group, columns=[key])[key], value_set=ids)
            if pc.any(mask).as_py():
                yield group, mask


def _may_hold(group: pq.RowGroupMetaData, key: str, low: str, high: str) -> bool:
    """Whether ids between two may be in a row group, as far as its statistics tell."""
    columns = (group.column(n) for n in range(group.num_columns))
    told = next(c.statistics for c in columns if c.path_in_schema == key)
    # Python orders texts by code points, and so like the bytes of UTF-8, which statistics are about.
    return told is None or not told.has_min_max or (told.min <= high and low <= told.max)
