"""The best of many scores, and which items must not be among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hier_dag.publish.reader.row_groups import FloatArray, IntArray


def top(scores: FloatArray, rows: IntArray, k: int) -> tuple[FloatArray, IntArray]:
    """The best k of each query, best first, equal scores by row.

    Args:
        scores: float32 [queries, candidates]; -inf for what does not count.
        rows: int64 [queries, candidates], item row of each.
        k: how many.

    Returns:
        Scores and rows, [queries, min(k, candidates)]; -inf and -1 where fewer count.
    """
    width = scores.shape[1]
    if width > k:
        part = np.argpartition(scores, width - k, axis=1)[:, width - k :]
        scores, rows = np.take_along_axis(scores, part, 1), np.take_along_axis(rows, part, 1)
    order = np.lexsort((rows, -scores), axis=-1)
    scores, rows = np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
    return scores, np.where(np.isneginf(scores), -1, rows)


@dataclass(frozen=True)
class Excluded:
    """Items that a query must not be answered with.

    Attributes:
        keys: int64 [pairs], ascending and unique: query number times items, plus item row.
        queries: number of queries.
        items: number of items.
    """

    keys: IntArray
    queries: int
    items: int

    @classmethod
    def of(cls, query: IntArray, row: IntArray, queries: int, items: int) -> Excluded:
        """From pairs of query number and item row; rows of -1 are no item and are left out."""
        keys = query[row >= 0] * items + row[row >= 0]
        return cls(np.unique(keys), queries, items)

    @property
    def counts(self) -> IntArray:
        """How many items each query excludes, int64 [queries]."""
        return np.bincount(self.keys // max(self.items, 1), minlength=self.queries)

    def only(self, queries: IntArray) -> Excluded:
        """Those of some queries (ascending), numbered anew from 0."""
        query, row = self.pairs()
        at = np.searchsorted(queries, query)
        kept = np.isin(query, queries)
        return Excluded(at[kept] * self.items + row[kept], len(queries), self.items)

    def rows_of(self, query: int) -> IntArray:
        """Item rows that one query excludes, ascending."""
        start, stop = np.searchsorted(self.keys, [query * self.items, (query + 1) * self.items])
        return self.keys[start:stop] - query * self.items

    def pairs(self) -> tuple[IntArray, IntArray]:
        """Query number and item row of each pair, int64 [pairs]."""
        query, row = np.divmod(self.keys, max(self.items, 1))
        return query, row

    def hide(self, scores: FloatArray, rows: IntArray) -> FloatArray:
        """Scores [queries, candidates] with -inf for what is excluded, and for rows of -1."""
        keys = np.arange(self.queries)[:, None] * self.items + rows
        at = np.minimum(np.searchsorted(self.keys, keys), max(len(self.keys) - 1, 0))
        hit = self.keys[at] == keys if len(self.keys) else np.zeros(keys.shape, dtype=bool)
        return np.where(hit | (rows < 0), np.float32(-np.inf), scores)
