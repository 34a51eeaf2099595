"""What each user has acted on already: pairs sorted by user; only the users' own row groups are read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hier_dag.publish.reader.row_groups import IntArray, RowGroups


class Seen:
    """seen.parquet.

    Args:
        buffer: its bytes.
        file: what it is called in messages.
        kept: bytes of decoded row groups that are kept.

    Raises:
        StoreError: when it is not what its name says.
    """

    def __init__(self, buffer: pa.Buffer, file: str, kept: int) -> None:
        self._groups = RowGroups(buffer, file, ["user_id", "item_id"], kept)
        self._lowest, self._highest = self._groups.bounds("user_id")

    def pairs(self, users: pa.Array) -> tuple[IntArray, pa.Array]:
        """What users have acted on.

        Args:
            users: unique ids, large_string [n].

        Returns:
            Position of the user in `users`, int64 [pairs], and the item's id, large_string [pairs].
        """
        positions, items = [np.empty(0, np.int64)], [pa.array([], pa.large_string())]
        for number in self._touched(users):
            group = self._groups[number]
            at = pc.index_in(pc.cast(group["user_id"], pa.large_string()), value_set=users)
            known = at.is_valid()
            positions.append(at.filter(known).to_numpy().astype(np.int64))
            items.append(pc.cast(group["item_id"].filter(known), pa.large_string()).combine_chunks())
        return np.concatenate(positions), pa.concat_arrays(items)

    def _touched(self, users: pa.Array) -> list[int]:
        """Row groups that may hold one of the users: some id lies between their first and last."""
        if not len(self._lowest) or not len(users):
            return []
        ordered = users.take(pc.array_sort_indices(users))
        first = pc.search_sorted(ordered, self._lowest).to_numpy(zero_copy_only=False)
        last = pc.search_sorted(ordered, self._highest, side="right").to_numpy(zero_copy_only=False)
        return [int(g) for g in np.flatnonzero(first < last)]
