"""Exact search: every item is scored, a block of them at a time."""

from __future__ import annotations

import numpy as np

from hier_dag.publish.reader.items import Items
from hier_dag.publish.reader.row_groups import FloatArray, IntArray
from hier_dag.publish.reader.top import Excluded, top

_CELLS = 1 << 23  # scores held at once: 32 MiB


def exact_search(
    items: Items, queries: FloatArray, k: int, excluded: Excluded
) -> tuple[FloatArray, IntArray]:
    """The k best items of each query by inner product.

    Args:
        items: the catalogue; each row group is decoded at most once.
        queries: float32 [n, dim].
        k: how many.
        excluded: items that do not count.

    Returns:
        Scores float32 and rows int64, both [n, k]; -inf and -1 where fewer items are left.
    """
    best_scores = np.full((len(queries), k), -np.inf, np.float32)
    best_rows = np.full((len(queries), k), -1, np.int64)
    query, row = excluded.pairs()
    for start, vectors in items.blocks():
        inside = (row >= start) & (row < start + len(vectors))
        hidden, column = query[inside], row[inside] - start
        step = max(1, _CELLS // max(1, len(vectors)))
        for first in range(0, len(queries), step):
            part = slice(first, first + step)
            scores = queries[part] @ vectors.T
            mine = slice(*np.searchsorted(hidden, [first, first + step]))
            scores[hidden[mine] - first, column[mine]] = -np.inf
            numbers = np.broadcast_to(np.arange(start, start + len(vectors)), scores.shape)
            scores, numbers = top(scores, numbers, k)
            best_scores[part], best_rows[part] = top(
                np.concatenate([best_scores[part], scores], axis=1),
                np.concatenate([best_rows[part], numbers], axis=1),
                k,
            )
    return best_scores, best_rows
