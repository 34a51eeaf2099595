"""The catalogue: ids, names and origins are held, vectors are decoded by row group as they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa

from hier_dag.publish.reader.row_groups import (
    FloatArray,
    IntArray,
    RowGroups,
    check_sorted,
    find,
    list_size,
    matrix,
)


class Items:
    """items.parquet.

    Args:
        buffer: its bytes.
        file: what it is called in messages.
        kept: bytes of decoded row groups that are kept.

    Attributes:
        rows: number of items.
        dim: length of the vectors.
        ids: large_string [rows], unique and in byte order.

    Raises:
        StoreError: when it is not what its name says, or its ids are not unique and in byte order.
    """

    def __init__(self, buffer: pa.Buffer, file: str, kept: int) -> None:
        self._vectors = RowGroups(buffer, file, ["vector"], kept)
        self.rows = self._vectors.rows
        self.dim = list_size(self._vectors.schema, file)
        labels = RowGroups(buffer, file, ["item_id", "name", "origin"], 0)
        self.ids = labels.column("item_id")
        self._names = labels.column("name")
        self._origins = labels.column("origin")
        check_sorted(self.ids, file, "item_id")

    def numbers(self, wanted: pa.Array) -> IntArray:
        """Row of each item, -1 for one that is not there; int64 [n]."""
        return find(self.ids, wanted)

    def vectors(self, rows: IntArray) -> FloatArray:
        """Vectors of rows, each at least 0; float32 [n, dim]."""
        out = np.empty((len(rows), self.dim), dtype=np.float32)
        groups = np.searchsorted(self._vectors.starts, rows, side="right") - 1
        order = np.argsort(groups, kind="stable")
        cuts = np.flatnonzero(np.diff(groups[order], prepend=-1, append=-1))
        for start, stop in pairwise(cuts):
            at = order[start:stop]
            group = int(groups[at[0]])
            out[at] = self._block(group)[rows[at] - self._vectors.starts[group]]
        return out

    def blocks(self) -> Iterator[tuple[int, FloatArray]]:
        """Every vector: the first row of each row group, and float32 [rows, dim]."""
        for group in range(len(self._vectors)):
            yield int(self._vectors.starts[group]), self._block(group)

    def labels(self, rows: IntArray) -> tuple[list[str], list[str], list[str]]:
        """Ids, names (the id where there is none) and origins of rows."""
        at = pa.array(rows)
        ids = self.ids.take(at).to_pylist()
        names = self._names.take(at).to_pylist()
        origins = self._origins.take(at).to_pylist()
        return ids, [i if name is None else name for i, name in zip(ids, names, strict=True)], origins

    def _block(self, group: int) -> FloatArray:
        return matrix(self._vectors[group]["vector"], self.dim)
