"""One side of a set, users or items, in memory or as a file: ids to choose from, vectors of a few rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.graph.pair_hashes import Hashes
from hier_dag.graph.reading import reading
from hier_dag.publish.rows import OrderedRows

_BATCH = 1 << 16  # ids hashed at once


class Side(Protocol):
    """Users or items of a set."""

    @property
    def source(self) -> str:
        """File that the vectors are from, for messages."""

    @property
    def dim(self) -> int:
        """Length of the vectors."""

    def hashes(self) -> Hashes:
        """Hash of every id in row order, uint64 [n] (`id_hashes`)."""

    def take(self, rows: IntArray) -> tuple[pa.Array, FloatArray]:
        """Ids, string [m], and vectors, float32 [m, dim], of some rows, int64 [m] ascending."""


@dataclass(frozen=True)
class Space:
    """Both sides of a set; score(user, item) = user_vector · item_vector.

    Attributes:
        users: its users.
        items: its items.
    """

    users: Side
    items: Side

    @classmethod
    def of_folder(cls, folder: Path) -> Space:
        """A published set's own, from `users.parquet` and `items.parquet`."""
        users, items = folder / "users.parquet", folder / "items.parquet"
        return cls(FileSide(users, "user_id"), FileSide(items, "item_id"))


class ArraySide:
    """A side in memory.

    Args:
        ids: n distinct ids, a string array of pyarrow or an object array of numpy.
        vectors: float32 [n, dim].
        source: file that they are from, for messages.
    """

    def __init__(
        self, ids: pa.Array | NDArray[np.object_], vectors: FloatArray, source: str = "vectors in memory"
    ) -> None:
        self.ids = ids if isinstance(ids, pa.Array) else pa.array(ids, pa.large_string())
        self.vectors = vectors
        self.source = source

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return int(self.vectors.shape[1])

    def hashes(self) -> Hashes:
        """Hash of every id in row order, uint64 [n]."""
        return id_hashes(self.ids[at : at + _BATCH] for at in range(0, len(self.ids), _BATCH))

    def take(self, rows: IntArray) -> tuple[pa.Array, FloatArray]:
        """Ids and vectors of some rows."""
        return self.ids.take(pa.array(rows)).cast(pa.string()), OrderedRows(self.vectors).take(rows)


class FileSide:
    """A side as a Parquet file, read one row group and one column at a time.

    Args:
        file: `users.parquet` or `items.parquet` of a set.
        key: its id column.

    Raises:
        StoreError: the file has no such column, or no column `vector` of one length.
    """

    def __init__(self, file: Path, key: str) -> None:
        self.file = file
        self.key = key
        with reading(file):
            schema = pq.read_schema(file)
            kind = schema.field("vector").type
            schema.field(key)
            if not pa.types.is_fixed_size_list(kind):
                raise TypeError(f"vectors are {kind}, not a fixed-size list")
            self._dim = int(kind.list_size)

    @property
    def source(self) -> str:
        """The file."""
        return str(self.file)

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return self._dim

    def hashes(self) -> Hashes:
        """Hash of every id in row order, uint64 [n]."""
        with reading(self.file), pq.ParquetFile(self.file) as opened:
            return id_hashes(batch.column(0) for batch in opened.iter_batches(_BATCH, columns=[self.key]))

    def take(self, rows: IntArray) -> tuple[pa.Array, FloatArray]:
        """Ids and vectors of some rows; row groups without any of them are not read."""
        with reading(self.file), pq.ParquetFile(self.file) as opened:
            parts = list(self._parts(opened, rows))
        ids = [ids for ids, _ in parts]
        vectors = [np.empty((0, self.dim), np.float32), *(vectors for _, vectors in parts)]
        return pa.concat_arrays([pa.array([], pa.string()), *ids]), np.concatenate(vectors)

    def _parts(self, opened: pq.ParquetFile, rows: IntArray) -> Iterator[tuple[pa.Array, FloatArray]]:
        counts = [opened.metadata.row_group(g).num_rows for g in range(opened.num_row_groups)]
        ends = np.cumsum(counts, dtype=np.int64)
        bounds = np.searchsorted(rows, np.concatenate([[0], ends]))
        for group in np.flatnonzero(np.diff(bounds)):
            wanted = rows[bounds[group] : bounds[group + 1]] - (ends[group] - counts[group])
            table = opened.read_row_group(int(group), columns=[self.key, "vector"])
            table = table.combine_chunks().take(pa.array(wanted)).combine_chunks()
            yield table[self.key].chunk(0).cast(pa.string()), _matrix(table["vector"].chunk(0))


def id_hashes(ids: Iterable[pa.Array]) -> Hashes:
    """The last eight bytes of each id's MD5 (UTF-8), little endian, uint64 [n].

    The same in every process, version and order of rows, so that probes stay the same users; and the hash
    that graphs name their nodes by (`hier_dag/graph/node_hashes.py`). DuckDB's own `hash` may change with its
    version, and hashlib takes one id at a time.
    """
    schema = pa.schema([("id", pa.string())])
    batches = (pa.record_batch([column.cast(pa.string())], schema=schema) for column in ids)
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    with duckdb.connect() as con:
        hashed: dict[str, NDArray[Any]] = (
            con.from_arrow(reader).project("md5_number_lower(id) AS h").fetchnumpy()
        )
    return np.asarray(hashed["h"], dtype=np.uint64)


def _matrix(column: pa.FixedSizeListArray) -> FloatArray:
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, dtype=np.float32).reshape(len(column), column.type.list_size)
