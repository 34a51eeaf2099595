"""The best items of each query: through the index where there is one, and exact where it comes back short."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hier_dag.publish.reader.exact import exact_search
from hier_dag.publish.reader.items import Items
from hier_dag.publish.reader.row_groups import FloatArray, IntArray
from hier_dag.publish.reader.top import Excluded, top

if TYPE_CHECKING:
    from hier_dag.publish.reader.index import Index

_WIDEST = 1024
"""Candidates asked of the index for one answer; a query that excludes more is searched by itself."""
_REFINED = 4
"""Candidates an item of the answer, where the index does not hold the vectors as they are."""


class Search:
    """Searches a catalogue; safe to use from several threads.

    Args:
        items: the catalogue.
        index: its index; None where the set has none.
    """

    def __init__(self, items: Items, index: Index | None) -> None:
        self._items, self._index = items, index

    def best(
        self, queries: FloatArray, k: int, excluded: Excluded, *, exact: bool = False
    ) -> tuple[FloatArray, IntArray]:
        """The k best items of each query by inner product; k of them wherever that many are left.

        Args:
            queries: float32 [n, dim].
            k: how many; at least 1.
            excluded: items that do not count.
            exact: score every item.

        Returns:
            Scores float32 and rows int64, [n, min(k, items)]; -inf and -1 where fewer items are left.
        """
        k = min(k, self._items.rows)
        index, first = self._index, self._first_width(k)
        if exact or index is None or k == 0 or first > _WIDEST:
            return exact_search(self._items, queries, k, excluded)
        answer = np.full((len(queries), k), -np.inf, np.float32), np.full((len(queries), k), -1, np.int64)
        # Widths are rounded up to powers of two, so that a batch needs few searches.
        counts = excluded.counts
        widths = 1 << np.ceil(np.log2(first + counts)).astype(np.int64)
        for width in np.unique(widths[widths <= _WIDEST]):
            at = np.flatnonzero(widths == width)
            found = self._among(index, queries[at], k, int(width), excluded.only(at))
            _replace(answer, at, found)
        for one in np.flatnonzero(widths > _WIDEST):
            at = np.array([one])
            if 2 * counts[one] > self._items.rows:
                # An index finds little where most of what it meets does not count.
                _replace(answer, at, exact_search(self._items, queries[at], k, excluded.only(at)))
                continue
            without = excluded.rows_of(int(one))
            _replace(
                answer, at, self._ranked(queries[at], k, *index.search(queries[at], first, without=without))
            )
        self._complete(index, queries, k, excluded, answer)
        return answer

    def _complete(
        self,
        index: Index,
        queries: FloatArray,
        k: int,
        excluded: Excluded,
        answer: tuple[FloatArray, IntArray],
    ) -> None:
        """Searches again, wider and then exactly, for queries with fewer items than there are left."""
        left = np.minimum(k, self._items.rows - excluded.counts)
        for wider in (True, False):
            at = np.flatnonzero((answer[1] >= 0).sum(axis=1) < left)
            if not len(at):
                return
            hidden = excluded.only(at)
            if wider:
                _replace(answer, at, self._among(index, queries[at], k, _WIDEST, hidden, wider=True))
            else:
                _replace(answer, at, exact_search(self._items, queries[at], k, hidden))

    def _first_width(self, k: int) -> int:
        return k if self._index is None or self._index.lossless else k * _REFINED

    def _among(
        self, index: Index, queries: FloatArray, k: int, width: int, hidden: Excluded, *, wider: bool = False
    ) -> tuple[FloatArray, IntArray]:
        """The best of `width` candidates that are not hidden."""
        scores, rows = index.search(queries, min(width, self._items.rows), wider=wider)
        return self._ranked(queries, k, hidden.hide(scores, rows), rows)

    def _ranked(
        self, queries: FloatArray, k: int, scores: FloatArray, rows: IntArray
    ) -> tuple[FloatArray, IntArray]:
        scores = np.where(rows < 0, np.float32(-np.inf), scores)
        if self._index is not None and not self._index.lossless:
            query, candidate = np.nonzero(~np.isneginf(scores))
            vectors = self._items.vectors(rows[query, candidate])
            scores[query, candidate] = np.einsum("ij,ij->i", queries[query], vectors)
        return top(scores, rows, k)


def _replace(answer: tuple[FloatArray, IntArray], at: IntArray, found: tuple[FloatArray, IntArray]) -> None:
    """Puts the answers of some queries in their place."""
    width = found[1].shape[1]
    answer[0][at], answer[1][at] = -np.inf, -1
    answer[0][at, :width], answer[1][at, :width] = found
