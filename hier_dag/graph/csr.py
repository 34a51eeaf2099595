"""Compressed sparse rows over NumPy arrays: the one layout that every stage shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class CSR:
    """A sparse matrix of `rows` × `cols`.

    Attributes:
        indptr: int64 [rows + 1], start of each row in `indices`.
        indices: int64 [nnz], column of each entry; ascending within a row.
        cols: number of columns.
        values: float32 [nnz] weights, or None where every entry counts 1.
        kinds: int64 [nnz] relation number of each entry, or None where there is one relation.
    """

    indptr: IntArray
    indices: IntArray
    cols: int
    values: FloatArray | None = None
    kinds: IntArray | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    @property
    def nnz(self) -> int:
        """Number of stored entries."""
        return len(self.indices)

    def degrees(self) -> IntArray:
        """Entries in each row, int64 [rows]."""
        return np.diff(self.indptr)

    def row_of_entry(self) -> IntArray:
        """Row of every entry, int64 [nnz] (the COO row index)."""
        return np.repeat(np.arange(self.rows, dtype=np.int64), self.degrees())

    def transpose(self) -> CSR:
        """The cols × rows matrix; entries keep their values and kinds. O(nnz log nnz)."""
        order = np.argsort(self.indices, kind="stable")
        return CSR(
            indptr=_indptr(self.indices, self.cols),
            indices=self.row_of_entry()[order],
            cols=self.rows,
            values=None if self.values is None else self.values[order],
            kinds=None if self.kinds is None else self.kinds[order],
        )


def _indptr(rows: IntArray, n_rows: int) -> IntArray:
    out = np.zeros(n_rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=n_rows), out=out[1:])
    return out


def from_coo(
    row: IntArray,
    col: IntArray,
    rows: int,
    cols: int,
    values: FloatArray | None = None,
    kinds: IntArray | None = None,
) -> CSR:
    """Builds a CSR from coordinate lists; entries are sorted by (row, col), duplicates kept.

    Args:
        row: int64 [nnz] row numbers in [0, rows).
        col: int64 [nnz] column numbers in [0, cols).
        rows: number of rows.
        cols: number of columns.
        values: float32 [nnz] or None.
        kinds: int64 [nnz] or None.
    """
    order = np.lexsort((col, row))
    row, col = row[order], col[order]
    return CSR(
        indptr=_indptr(row, rows),
        indices=np.ascontiguousarray(col, dtype=np.int64),
        cols=cols,
        values=None if values is None else np.ascontiguousarray(values[order], dtype=np.float32),
        kinds=None if kinds is None else np.ascontiguousarray(kinds[order], dtype=np.int64),
    )
