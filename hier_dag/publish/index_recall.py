"""How much of the true best a faster search finds, and how fast it answers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import faiss
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.publish.params import IndexParams
from hier_dag.publish.rows import Rows

CUTOFFS = (10, 50)
_TIED = 1e-6  # of the k-th best score: what is that near to it is as good
_AT_ONCE = 256  # queries whose found items are scored again together


@dataclass(frozen=True)
class Truth:
    """The true best items of some users, by exact search.

    Attributes:
        queries: float32 [q, d], user vectors.
        least: by cutoff k, the score of the k-th best item, float64 [q]; of the last where there are fewer.
    """

    queries: FloatArray
    least: dict[int, NDArray[np.float64]]


def sampled_users(ids: pa.LargeStringArray, wanted: int) -> IntArray:
    """A sample of users that depends on their ids alone: those of smallest MD5.

    Args:
        ids: [n].
        wanted: how many; all where there are fewer.

    Returns:
        Rows in the order of their hashes, int64 [min(n, wanted)].
    """
    users = pa.table({"id": ids, "row": np.arange(len(ids))})
    with duckdb.connect() as con:
        con.register("users", users)
        found = con.execute("SELECT row FROM users ORDER BY md5_number_lower(id), id LIMIT ?", [wanted])
        return np.asarray(found.fetchnumpy()["row"], np.int64)


def exact_best(queries: FloatArray, items: Rows, k: int) -> IntArray:
    """Rows of the k best items of each query by inner product, a block of items at a time.

    Args:
        queries: float32 [q, d].
        items: float32 [m, d].
        k: how many.

    Returns:
        int64 [q, min(k, m)], best first.
    """
    k = min(k, items.shape[0])
    best = np.empty((len(queries), 0), np.float32)
    rows = np.empty((len(queries), 0), np.int64)
    if not len(queries):
        return np.empty((0, k), np.int64)
    for start, block in items.blocks():
        scores, at = faiss.knn(queries, block, min(k, len(block)), metric=faiss.METRIC_INNER_PRODUCT)
        best = np.concatenate([best, scores], axis=1)
        rows = np.concatenate([rows, at + start], axis=1)
        kept = np.argsort(-best, axis=1, kind="stable")[:, :k]
        best, rows = np.take_along_axis(best, kept, 1), np.take_along_axis(rows, kept, 1)
    return rows


def truth_of(queries: FloatArray, items: Rows, cutoffs: Sequence[int] = CUTOFFS) -> Truth:
    """Exact search for some users."""
    rows = exact_best(queries, items, max(cutoffs))
    scores = _scores(queries, rows, items)
    nothing = np.full(len(queries), -np.inf)
    least = {k: scores[:, :k].min(axis=1) if rows.shape[1] else nothing for k in cutoffs}
    return Truth(queries, least)


def recall(truth: Truth, found: IntArray, items: Rows) -> dict[str, float]:
    """Share of the true k best among the first k found, mean over queries, by cutoff.

    A found item counts where it scores at least what the k-th best does, but for a millionth of it: of items
    that tie, any is as good.

    Args:
        truth: of exact search.
        found: int64 [q, k], best first, -1 where nothing was found; at least as many columns as the largest
            cutoff, or as there are items.
        items: float32 [m, d], which the scores are of.

    Returns:
        {"recall@10": …, "recall@50": …}; 1 where there is nothing to be found or nobody to find it for.
    """
    scores = _scores(truth.queries, found, items)
    shares = {}
    for k, least in truth.least.items():
        there = len(found) * min(k, items.shape[0])
        good = scores[:, :k] >= (least - _TIED * np.abs(least))[:, None]
        shares[f"recall@{k}"] = round(float(good.sum()) / there, 6) if there else 1.0
    return shares


def shortfalls(found: Mapping[str, float], params: IndexParams) -> dict[str, dict[str, float]]:
    """Recalls below their floor, with which nothing may be published; empty where all are high enough.

    Args:
        found: recall@10 and recall@50, as in set.json's `index`.
        params: the floors.

    Returns:
        {"recall@10": {"found": …, "floor": …}}.
    """
    floors = {"recall@10": params.recall_floor, "recall@50": params.recall_floor_50}
    return {
        name: {"found": found[name], "floor": floor} for name, floor in floors.items() if found[name] < floor
    }


def latency(index: Any, queries: FloatArray, k: int = CUTOFFS[0]) -> dict[str, float]:
    """Milliseconds that single queries take, one after another on one core: p50 and p99.

    Args:
        index: a faiss.Index.
        queries: float32 [q, d].
        k: items asked for.

    Returns:
        {"p50_ms": …, "p99_ms": …}; empty without a query.
    """
    if not len(queries):
        return {}
    taken = np.empty(len(queries))
    with _one_thread():
        for at in range(len(queries)):
            start = time.perf_counter()
            index.search(queries[at : at + 1], k)
            taken[at] = time.perf_counter() - start
    p50, p99 = np.percentile(taken, [50, 99]) * 1000
    return {"p50_ms": round(float(p50), 4), "p99_ms": round(float(p99), 4)}


def _scores(queries: FloatArray, rows: IntArray, items: Rows) -> NDArray[np.float64]:
    """Inner products of each query with its items, float64 [q, k]; -inf where the row is -1."""
    scores = np.full(rows.shape, -np.inf)
    for start in range(0, len(rows), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        wanted = rows[part]
        there = wanted >= 0
        if there.any():
            vectors = items.take(np.where(there, wanted, 0).ravel()).reshape(*wanted.shape, -1)
            products = np.einsum("qd,qkd->qk", queries[part], vectors, dtype=np.float64)
            scores[part] = np.where(there, products, -np.inf)
    return scores


@contextmanager
def _one_thread() -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
