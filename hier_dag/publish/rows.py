"""Rows of a matrix in a table's order, a block at a time: the matrix may be larger than memory."""

from __future__ import annotations

import mmap
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hier_dag.errors import ContractError
from hier_dag.graph.csr import FloatArray, IntArray

Texts: TypeAlias = "NDArray[np.object_] | pa.Array | pa.ChunkedArray"
"""Ids or names by number; ten million Arrow strings are taken in a tenth of the time of Python's."""
BLOCK = 16_384
"""Rows that are looked at together: also the rows of a Parquet row group."""
_GATHERED = 64  # rows from anywhere in a map: each may bring half a MiB around it into memory


class Rows(ABC):
    """Rows of float32 vectors that are read in blocks.

    Attributes:
        shape: (n, d).
    """

    shape: tuple[int, int]

    @abstractmethod
    def block(self, start: int, stop: int) -> FloatArray:
        """Rows start … stop - 1, a contiguous float32 [stop - start, d] of its own memory."""

    @abstractmethod
    def take(self, rows: IntArray) -> FloatArray:
        """Rows by number: int64 [r] -> float32 [r, d]."""

    def blocks(self) -> Iterator[tuple[int, FloatArray]]:
        """Every block of BLOCK rows with the number of its first row."""
        for start in range(0, self.shape[0], BLOCK):
            yield start, self.block(start, min(start + BLOCK, self.shape[0]))


class OrderedRows(Rows):
    """Rows of a float32 matrix, in a given order.

    Args:
        vectors: float32 [n, d]; may be a memory map.
        order: int64 [n], the matrix row of each row here; None where they are the same.
    """

    def __init__(self, vectors: FloatArray, order: IntArray | None = None) -> None:
        self._vectors = vectors
        self._order = order
        self._map = _read_only_map(vectors)
        self.shape = (len(vectors), int(vectors.shape[1]))

    def block(self, start: int, stop: int) -> FloatArray:
        """Rows start … stop - 1, a contiguous float32 [stop - start, d] of its own memory."""
        return self._copied(slice(start, stop) if self._order is None else self._order[start:stop])

    def take(self, rows: IntArray) -> FloatArray:
        """Rows by number: int64 [r] -> float32 [r, d]."""
        return self._copied(rows if self._order is None else self._order[rows])

    def _copied(self, rows: slice | IntArray) -> FloatArray:
        if isinstance(rows, slice) or self._map is None:
            copied = np.array(self._vectors[rows], np.float32, order="C")
            self._give_back()
            return copied
        copied = np.empty((len(rows), self.shape[1]), np.float32)
        for start in range(0, len(rows), _GATHERED):
            part = slice(start, start + _GATHERED)
            copied[part] = self._vectors[rows[part]]
            self._give_back()
        return copied

    def _give_back(self) -> None:
        if self._map is not None:
            # Pages that were read would else count as this process's memory until the map is closed.
            self._map.madvise(mmap.MADV_DONTNEED)


def in_byte_order(ids: pa.LargeStringArray) -> tuple[pa.LargeStringArray, IntArray | None]:
    """Ids sorted by their UTF-8 bytes.

    Args:
        ids: any order.

    Returns:
        The ids in order; int64 [n], where each came from, or None where they were in order already.

    Raises:
        ContractError: when an id is null or occurs twice.
    """
    if ids.null_count:
        raise ContractError(f"{ids.null_count:,} ids are null", fix="ids of published vectors are never null")
    if _ascending(ids):
        return ids, None
    order = pc.array_sort_indices(ids)
    ids = ids.take(order)
    if not _ascending(ids):
        twice = ids[:-1].filter(pc.equal(ids[:-1], ids[1:]))
        raise ContractError(
            f"{len(twice):,} ids occur more than once, such as {twice[0].as_py()!r}",
            fix="every user and item has one vector",
        )
    return ids, order.to_numpy().astype(np.int64)


def picked(texts: Texts, numbers: IntArray) -> pa.LargeStringArray:
    """Texts by number, with 64-bit offsets: ids of ten million rows may have more than 2 GiB."""
    if isinstance(texts, np.ndarray):
        return pa.array(texts[numbers], pa.large_string())
    taken = texts.cast(pa.large_string()).take(pa.array(numbers))
    return taken.combine_chunks() if isinstance(taken, pa.ChunkedArray) else taken


def _ascending(ids: pa.LargeStringArray) -> bool:
    # Arrow compares strings byte by byte, as UTF-8 sorts.
    return len(ids) < 2 or bool(pc.all(pc.less(ids[:-1], ids[1:])).as_py())


def _read_only_map(vectors: FloatArray) -> mmap.mmap | None:
    """The map below an array; None without one, or where dropping its pages would drop what was written."""
    below: object = vectors
    while isinstance(below, np.ndarray):
        below = below.base
    return below if isinstance(below, mmap.mmap) and memoryview(below).readonly else None
