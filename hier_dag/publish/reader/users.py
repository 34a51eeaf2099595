"""Vectors of users by id: one id costs one row group, a batch each row group at most once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hier_dag.errors import StoreError
from hier_dag.publish.reader.reading import RERUN
from hier_dag.publish.reader.row_groups import (
    FloatArray,
    IntArray,
    RowGroups,
    check_sorted,
    find,
    list_size,
    matrix,
)


class Users:
    """users.parquet.

    Args:
        buffer: its bytes.
        file: what it is called in messages.
        kept: bytes of decoded row groups that are kept.

    Attributes:
        rows: number of users.
        dim: length of the vectors.

    Raises:
        StoreError: when it is not what its name says, or its row groups are not in byte order.
    """

    def __init__(self, buffer: pa.Buffer, file: str, kept: int) -> None:
        self._groups = RowGroups(buffer, file, ["user_id", "vector", "origin"], kept)
        self._file = file
        self.rows = self._groups.rows
        self.dim = list_size(self._groups.schema, file)
        self._lowest, highest = self._groups.bounds("user_id")
        if len(self._lowest) > 1 and not pc.all(pc.less(highest[:-1], self._lowest[1:])).as_py():
            raise StoreError("row groups are not in byte order", file=file, column="user_id", fix=RERUN)

    def vectors(self, wanted: pa.Array) -> tuple[FloatArray, IntArray]:
        """Vectors of users.

        Args:
            wanted: ids, large_string [n]; may repeat.

        Returns:
            float32 [n, dim], NaN for users that are not there; and the positions of those, int64.
        """
        found = np.full((len(wanted), self.dim), np.nan, dtype=np.float32)
        known = np.zeros(len(wanted), dtype=bool)
        for group, positions, rows in self._located(wanted):
            found[positions] = matrix(group["vector"], self.dim)[rows]
            known[positions] = True
        return found, np.flatnonzero(~known)

    def origin(self, wanted: pa.Array) -> str | None:
        """How one user's vector came to be; None for a user that is not there."""
        for group, _, rows in self._located(wanted):
            return str(group["origin"][int(rows[0])].as_py())
        return None

    def some(self, n: int, origin: str | None) -> list[str]:
        """The first n ids, of one origin or of any."""
        ids: list[str] = []
        for number in range(len(self._groups)):
            if len(ids) >= n:
                break
            group = self._groups[number]
            if origin is not None:
                group = group.filter(pc.equal(pc.cast(group["origin"], pa.string()), origin))
            ids += group["user_id"].slice(0, n - len(ids)).to_pylist()
        return ids

    def _located(self, wanted: pa.Array) -> Iterator[tuple[pa.Table, IntArray, IntArray]]:
        """Row groups with wanted ids, the positions of those in `wanted`, and their rows in the group."""
        if not len(self._lowest):
            return
        at = pc.search_sorted(self._lowest, wanted, side="right").to_numpy(zero_copy_only=False)
        numbers = at.astype(np.int64) - 1
        order = np.argsort(numbers, kind="stable")
        cuts = np.flatnonzero(np.diff(numbers[order], prepend=-2, append=-2))
        for start, stop in pairwise(cuts):
            positions = order[start:stop]
            number = int(numbers[positions[0]])
            if number < 0:
                continue
            group = self._groups[number]
            ids = pc.cast(group["user_id"], pa.large_string()).combine_chunks()
            check_sorted(ids, self._file, "user_id")
            rows = find(ids, wanted.take(pa.array(positions)))
            if (rows >= 0).any():
                yield group, positions[rows >= 0], rows[rows >= 0]
