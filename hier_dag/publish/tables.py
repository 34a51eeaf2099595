"""The Parquet tables of a published set, written in row groups from blocks of rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.graph.knowledge_graph import Interactions
from hier_dag.model.encoding import ORIGINS
from hier_dag.publish.rows import BLOCK, Rows, Texts, picked
from hier_dag.publish.writing import HashedFile

VALUES = "vector.list.element"
"""The vector column's leaf, as Parquet calls it."""
_ORIGIN = pa.dictionary(pa.int8(), pa.string())


def write_vectors(
    file: HashedFile,
    key: str,
    ids: pa.LargeStringArray,
    rows: Rows,
    origin: NDArray[np.int8],
    names: pa.LargeStringArray | None = None,
) -> NDArray[np.float32]:
    """Writes users.parquet or items.parquet.

    Args:
        file: where to.
        key: `user_id` or `item_id`.
        ids: [n], in byte order.
        rows: float32 [n, d], in the same order.
        origin: int8 [n], index into ORIGINS, in the same order.
        names: [n] display names, in the same order; None for users.

    Returns:
        Euclidean norm of each row, float32 [n].
    """
    n, dim = rows.shape
    schema = pa.schema(
        [
            pa.field(key, pa.string(), nullable=False),
            *([pa.field("name", pa.string())] if names is not None else []),
            pa.field("vector", vector_type(pa.float32(), dim), nullable=False),
            pa.field("origin", _ORIGIN, nullable=False),
            pa.field("norm", pa.float32(), nullable=False),
        ]
    )
    # Vectors are as good as random: compressing them costs time and saves nothing.
    compression = {key: "ZSTD", "name": "ZSTD", VALUES: "NONE", "origin": "ZSTD", "norm": "NONE"}
    if names is None:
        del compression["name"]
    kinds = pa.array(ORIGINS, pa.string())
    norms = np.empty(n, np.float32)
    with _writer(file, schema, key, compression, dictionary=["origin"]) as writer:
        for start, block in rows.blocks():
            part = slice(start, start + len(block))
            norms[part] = lengths(block)
            columns = [
                ids[part].cast(pa.string()),
                *([names[part].cast(pa.string())] if names is not None else []),
                vectors_of(block.ravel(), schema.field("vector").type),
                pa.DictionaryArray.from_arrays(pa.array(origin[part]), kinds),
                pa.array(norms[part]),
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema), row_group_size=BLOCK)
    return norms


def write_seen(file: HashedFile, pairs: Interactions, user_ids: Texts, item_ids: Texts) -> None:
    """Writes seen.parquet: the pairs, sorted by both ids in byte order.

    Args:
        file: where to.
        pairs: dense numbers.
        user_ids: id of every user number.
        item_ids: id of every item number.
    """
    user_rank, users = _ranked(pairs.user, user_ids)
    item_rank, items = _ranked(pairs.item, item_ids)
    # One number a pair that sorts as both ids do; below 2^63 for any number of ids that fits in memory.
    keys = user_rank * max(1, len(items)) + item_rank
    del user_rank, item_rank
    keys.sort()
    schema = pa.schema([pa.field(k, pa.string(), nullable=False) for k in ("user_id", "item_id")])
    compression = {"user_id": "ZSTD", "item_id": "ZSTD"}
    with _writer(file, schema, "user_id", compression, dictionary=["user_id", "item_id"]) as writer:
        for start in range(0, len(keys), BLOCK):
            user, item = np.divmod(keys[start : start + BLOCK], max(1, len(items)))
            columns = [users.take(pa.array(user)), items.take(pa.array(item))]
            columns = [texts.cast(pa.string()) for texts in columns]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema), row_group_size=BLOCK)


def lengths(rows: FloatArray) -> NDArray[np.float32]:
    """Euclidean norm of each row, float32 [n, d] -> float32 [n]."""
    squares = np.einsum("ij,ij->i", rows, rows)
    # float32 is four times as fast, but ends at squares of 1e38 and loses digits near 1e-38.
    far = ~((squares > 1e-20) & (squares < 1e30))
    found: NDArray[np.float32] = np.sqrt(squares)
    found[far] = np.linalg.norm(rows[far].astype(np.float64), axis=1)
    return found


def vector_type(value: pa.DataType, dim: int) -> pa.DataType:
    """A fixed-size list whose values are never null, which halves the work of writing it."""
    return pa.list_(pa.field("element", value, nullable=False), dim)


def vectors_of(flat: NDArray[np.generic], kind: pa.DataType) -> pa.Array:
    """Values row after row, as a column of a vector type."""
    return pa.FixedSizeListArray.from_arrays(pa.array(flat, kind.value_type), type=kind)


def _writer(
    file: HashedFile, schema: pa.Schema, key: str, compression: dict[str, str], dictionary: list[str]
) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        file, schema, compression=compression, use_dictionary=dictionary, write_statistics=[key]
    )


def _ranked(numbers: IntArray, ids: Texts) -> tuple[IntArray, pa.LargeStringArray]:
    """Each number's place among the ids that occur, int64 [n], and those ids in byte order."""
    occurring = np.flatnonzero(np.bincount(numbers, minlength=len(ids)))
    texts = picked(ids, occurring)
    order = pc.array_sort_indices(texts)
    place = np.zeros(len(ids), np.int64)
    place[occurring[order.to_numpy()]] = np.arange(len(occurring))
    return place[numbers], texts.take(order)
