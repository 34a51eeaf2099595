"""Vectors of fewer bytes: float16, and int8 with one scale a row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.publish.params import Precision
from hier_dag.publish.rows import BLOCK, Rows
from hier_dag.publish.tables import VALUES, vector_type, vectors_of
from hier_dag.publish.writing import HashedFile

_LARGEST = 127  # of an int8, the same on both sides of zero
_VALUES = {"float16": pa.float16(), "int8": pa.int8()}


def as_int8(rows: FloatArray) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8: value = int8 · scale, the largest of a row being 127 or -127.

    Args:
        rows: float32 [n, d].

    Returns:
        int8 [n, d] and float32 [n]; a row of zeros has scale 0.
    """
    scale = (np.abs(rows).max(axis=1, initial=0) / np.float32(_LARGEST)).astype(np.float32)
    # A scale below what float32 holds in full would give more than 127.
    steps = np.divide(rows, scale[:, None], out=np.zeros_like(rows), where=scale[:, None] > 0)
    return np.clip(np.rint(steps), -_LARGEST, _LARGEST).astype(np.int8), scale


def as_float16(rows: FloatArray) -> NDArray[np.float16]:
    """Half precision; what is beyond its largest, 65,504, becomes that, so that none is infinite.

    Args:
        rows: float32 [n, d].
    """
    largest = float(np.finfo(np.float16).max)
    return np.clip(rows, -largest, largest).astype(np.float16)


def restored(rows: FloatArray, precision: Precision) -> FloatArray:
    """What a reader of the smaller vectors computes with: float32 [n, d], after losing what they lose."""
    if precision == "float16":
        return as_float16(rows).astype(np.float32)
    small, scale = as_int8(rows)
    return small.astype(np.float32) * scale[:, None]


class ReducedRows(Rows):
    """Rows as a reader of the smaller vectors has them.

    Args:
        rows: the full ones.
        precision: what they are reduced to.
    """

    def __init__(self, rows: Rows, precision: Precision) -> None:
        self._rows = rows
        self._precision = precision
        self.shape = rows.shape

    def block(self, start: int, stop: int) -> FloatArray:
        """Rows start … stop - 1, float32 [stop - start, d]."""
        return restored(self._rows.block(start, stop), self._precision)

    def take(self, rows: IntArray) -> FloatArray:
        """Rows by number: int64 [r] -> float32 [r, d]."""
        return restored(self._rows.take(rows), self._precision)


def write_reduced(
    file: HashedFile, key: str, ids: pa.LargeStringArray, rows: Rows, precision: Precision
) -> None:
    """Writes users or items with smaller vectors: id, vector, and for int8 scale.

    Args:
        file: where to.
        key: `user_id` or `item_id`.
        ids: [n], in byte order.
        rows: float32 [n, d], in the same order.
        precision: of the vectors.
    """
    scaled = precision == "int8"
    kind = vector_type(_VALUES[precision], rows.shape[1])
    schema = pa.schema(
        [
            pa.field(key, pa.string(), nullable=False),
            pa.field("vector", kind, nullable=False),
            *([pa.field("scale", pa.float32(), nullable=False)] if scaled else []),
        ]
    )
    # Parquet keeps an int8 in four bytes; by its number in a dictionary of 255 values it takes one.
    compression = {key: "ZSTD", VALUES: "NONE", **({"scale": "NONE"} if scaled else {})}
    with pq.ParquetWriter(
        file,
        schema,
        compression=compression,
        use_dictionary=[VALUES] if scaled else False,
        write_statistics=[key],
    ) as writer:
        for start, block in rows.blocks():
            columns = [ids[start : start + len(block)].cast(pa.string())]
            if scaled:
                small, scale = as_int8(block)
                columns += [vectors_of(small.ravel(), kind), pa.array(scale)]
            else:
                columns.append(vectors_of(as_float16(block).ravel(), kind))
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema), row_group_size=BLOCK)
