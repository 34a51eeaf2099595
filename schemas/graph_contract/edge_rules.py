"""Rules about the edges of one relation: each gives the places, in the CSR's arrays, of those that break it.

All are columnar: a scan of the arrays tells whether any edge can break the rule, and only then are edges
looked at one against another.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from hier_dag.graph.csr import CSR, IntArray
from hier_dag.graph.relations import Relation
from schemas.graph_contract.view import GraphView, row_at

NONE: IntArray = np.empty(0, dtype=np.int64)


def without_end(view: GraphView, relation: Relation, side: str, among: IntArray | None = None) -> IntArray:
    """Edges whose end on one side is no node of its type.

    Args:
        view: the graph.
        relation: a readable relation.
        side: `from` or `to`.
        among: only ends with these numbers; by default all that are missing.
    """
    missing = view.missing[relation.source if side == "from" else relation.target]
    missing = missing if among is None else among
    if len(missing) == 0:
        return NONE
    if side == "to":
        return np.flatnonzero(np.isin(relation.csr.indices, missing))
    rows = missing[(missing >= 0) & (missing < relation.csr.rows)]
    return _entries_of(relation.csr, rows)


def unsorted(relation: Relation) -> IntArray:
    """Entries that are smaller than the one before them in their row."""
    indices = relation.csr.indices
    return _within_rows(relation.csr, np.flatnonzero(indices[1:] < indices[:-1]) + 1)


def beyond_per_pair(relation: Relation, most: int = 1) -> IntArray:
    """Edges of one kind between two nodes, beyond the first `most` of them."""
    csr = relation.csr
    indices = csr.indices
    if len(unsorted(relation)):
        again = np.arange(csr.nnz)
    else:
        again = _within_rows(csr, np.flatnonzero(indices[1:] == indices[:-1]) + 1)
        again = np.union1d(again, again - 1)
    if len(again) == 0:
        return NONE
    kinds = np.zeros(len(again), dtype=np.int64) if csr.kinds is None else csr.kinds[again]
    keys = (row_at(csr, again), indices[again], kinds)
    order = np.lexsort((again, *reversed(keys)))
    differs = [np.diff(key[order]) != 0 for key in keys]
    starts = np.flatnonzero(np.concatenate([[True], differs[0] | differs[1] | differs[2]]))
    place = np.arange(len(again)) - np.repeat(starts, np.diff([*starts, len(again)]))
    return np.sort(again[order][place >= most])


def loops(relation: Relation) -> IntArray:
    """Edges from a node to itself."""
    return np.flatnonzero(relation.csr.indices == relation.csr.row_of_entry())


def one_way(relation: Relation) -> IntArray:
    """Edges without one of their kind in the other direction."""
    csr = relation.csr
    if _mirrors_itself(csr):
        return NONE
    rows, cols = csr.row_of_entry(), csr.indices
    pairs = np.stack([rows, cols]) if csr.kinds is None else np.stack([rows, cols, csr.kinds])
    back = pairs[[1, 0, *range(2, len(pairs))]]
    # One number for each distinct edge and its reverse, so that membership is of numbers.
    _, numbers = np.unique(np.concatenate([pairs, back], axis=1), axis=1, return_inverse=True)
    forward, backward = numbers[: csr.nnz], numbers[csr.nnz :]
    return np.flatnonzero(~np.isin(backward, forward))


def _mirrors_itself(csr: CSR) -> bool:
    """Whether the transpose has the very same arrays; O(edges), so that the usual case costs little."""
    if csr.rows != csr.cols or csr.nnz == 0:
        return csr.nnz == 0
    if csr.indices.min() < 0 or csr.indices.max() >= csr.cols:
        return False
    places = np.arange(csr.nnz, dtype=np.int64)
    turned = csr_matrix((places, csr.indices, csr.indptr), shape=(csr.rows, csr.cols)).tocsc()
    same = np.array_equal(turned.indptr, csr.indptr) and np.array_equal(turned.indices, csr.indices)
    return same and (csr.kinds is None or np.array_equal(csr.kinds[turned.data], csr.kinds))


def _within_rows(csr: CSR, candidates: IntArray) -> IntArray:
    """Those entries that have another before them in their row."""
    return candidates[csr.indptr[row_at(csr, candidates)] != candidates] if len(candidates) else NONE


def _entries_of(csr: CSR, rows: IntArray) -> IntArray:
    """Places of every entry of some rows."""
    spans = [np.arange(csr.indptr[r], csr.indptr[r + 1]) for r in rows if csr.indptr[r] < csr.indptr[r + 1]]
    return np.concatenate(spans) if spans else NONE
