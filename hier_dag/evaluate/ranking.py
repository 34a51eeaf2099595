"""Full ranking in blocks: places of the test items and the top of the list, among a domain's whole catalogue.

Most users have no tie that matters, and their scores are compared as they are, once for all seeds. Only the
rows where a test item ties, or where the top of the list does, go through `ordering_keys`, once a seed.
Neither the order of items nor the block size moves a rank.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hier_dag.errors import TrainingError
from hier_dag.evaluate.ordering import item_hash, ordering_keys, score_bits, user_hash
from hier_dag.graph.csr import CSR, FloatArray, IntArray

Scorer = Callable[[IntArray], FloatArray]
"""Row positions of users, int64 [b] -> scores float32 [b, n_items]."""

BLOCK_ENTRIES = 1 << 18  # scores held at once: 1 MB of float32, 2 MB of ordering keys; both stay in cache
NO_ITEM = -1
_Values = NDArray[Any]  # float32 scores or int64 ordering keys


@dataclass(frozen=True)
class RankingTask:
    """What is ranked: users with test items, against one catalogue.

    Attributes:
        rows: int64 [n], position of each evaluated user among the rows that a scorer knows.
        items: int64 [n_items], item numbers of the catalogue; identify items in tie breaking.
        test: n × n_items CSR of test items (catalogue positions), at least one a row.
        masked: n × n_items CSR of the training items that are not ranked.
    """

    rows: IntArray
    items: IntArray
    test: CSR
    masked: CSR


@dataclass(frozen=True)
class Ranking:
    """One ranking of every user's catalogue.

    Attributes:
        ranks: int64 [test.nnz], 1 for the top item, aligned with `task.test.indices`.
        top: int32 [n, max(cutoffs)], catalogue positions: the first K are the user's top K for every asked
            cutoff K; equal scores between two cutoffs come in no defined order. `NO_ITEM` where a user's
            unmasked catalogue is shorter.
    """

    ranks: IntArray
    top: NDArray[np.int32]


def rank_tests(score: Scorer, task: RankingTask, seed: int, block_entries: int = BLOCK_ENTRIES) -> IntArray:
    """Ranks every test item among the unmasked items of the catalogue.

    Args:
        score: scores of the catalogue for a block of users.
        task: users, test items and masked items.
        seed: seeds tie breaking.
        block_entries: scores held in memory at once (at least one user's).

    Returns:
        int64 [task.test.nnz], 1 for the top item, aligned with `task.test.indices`.

    Raises:
        TrainingError: a score is NaN or infinite.
    """
    return rank_catalogue(score, task, (seed,), (), block_entries)[0].ranks


def rank_catalogue(
    score: Scorer,
    task: RankingTask,
    seeds: Sequence[int],
    cutoffs: Sequence[int],
    block_entries: int = BLOCK_ENTRIES,
) -> list[Ranking]:
    """Ranks of the test items and the top of every user's list, for several seeds of tie breaking.

    Cost: one call of `score` a block whatever the seeds, and about one comparison of a score for each test
    item of its user, plus one partial sort of a row if a cutoff is asked; a row with ties costs more.

    Args:
        score: scores of the catalogue for a block of users; its array is not changed.
        task: users, test items and masked items.
        seeds: seeds of tie breaking, one ranking each.
        cutoffs: values of K for which the top lists are right; none for no list.
        block_entries: scores held in memory at once (at least one user's).

    Raises:
        TrainingError: a score is NaN or infinite.
    """
    n, m = len(task.rows), len(task.items)
    ends = tuple(sorted({min(k, m) for k in cutoffs}))
    depth = max(ends, default=0)
    out = [
        Ranking(np.empty(task.test.nnz, dtype=np.int64), np.empty((n, depth), dtype=np.int32)) for _ in seeds
    ]
    hashes = [item_hash(task.items, seed) for seed in seeds]
    step = max(1, block_entries // max(1, m))
    for start in range(0, n, step):
        rows = task.rows[start : start + step]
        scores = _masked(_finite(score(rows)), task.masked, start)
        _rank_block(scores, rows, task.test, start, ends, hashes, out)
    return out


def _rank_block(
    scores: FloatArray,
    rows: IntArray,
    test: CSR,
    start: int,
    ends: tuple[int, ...],
    hashes: list[NDArray[np.uint32]],
    out: list[Ranking],
) -> None:
    owner, tests = _entries(test, start, len(rows))
    item = test.indices[tests]
    ranks, tied = _places(scores, owner, item)
    top, unclear = _top(scores, ends)
    for ranking in out:
        ranking.ranks[tests] = ranks
        ranking.top[start : start + len(rows)] = _without_masked(top, scores)
    again = np.union1d(owner[tied], np.flatnonzero(unclear))
    if len(again) == 0:
        return
    entries, row_again = tests.start + np.flatnonzero(tied), np.searchsorted(again, owner[tied])
    bits, users = score_bits(scores[again]), user_hash(rows[again])
    for items, ranking in zip(hashes, out, strict=True):
        keys = ordering_keys(bits, users, items)
        ranking.ranks[entries] = _places(keys, row_again, item[tied])[0]
        ranking.top[start + again] = _without_masked(_top(keys, ends)[0], scores[again])


def _finite(scores: FloatArray) -> FloatArray:
    if not np.isfinite(scores).all():
        raise TrainingError(
            "a score is NaN or infinite", fix="look at the training curve; lower the learning rate"
        )
    return np.array(scores, dtype=np.float32)


def _masked(scores: FloatArray, masked: CSR, start: int) -> FloatArray:
    owner, entries = _entries(masked, start, len(scores))
    scores[owner, masked.indices[entries]] = -np.inf
    return scores


def _entries(of: CSR, start: int, rows: int) -> tuple[IntArray, slice]:
    """Row within a block of each of its entries, and where those entries are."""
    degrees = np.diff(of.indptr[start : start + rows + 1])
    return np.repeat(np.arange(rows), degrees), slice(int(of.indptr[start]), int(of.indptr[start + rows]))


def _places(values: _Values, owner: IntArray, item: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Rank of each (owner, item), and whether another item of its row has the same value."""
    places = np.empty(len(item), dtype=np.int64)
    tied = np.empty(len(item), dtype=bool)
    step = max(1, len(values))
    for at in range(0, len(item), step):
        part = slice(at, at + step)
        row, own = values[owner[part]], values[owner[part], item[part]][:, None]
        places[part] = 1 + np.count_nonzero(row > own, axis=1)
        tied[part] = np.count_nonzero(row >= own, axis=1) > places[part]
    return places, tied


def _top(values: _Values, ends: tuple[int, ...]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Columns of the highest values of each row, best first, and whether a tie sits across one of `ends`."""
    b, m = values.shape
    unclear = np.zeros(b, dtype=bool)
    if not ends:
        return np.empty((b, 0), dtype=np.int32), unclear
    depth = ends[-1]
    first = np.argpartition(values, m - depth, axis=1)[:, m - depth :]
    held = np.take_along_axis(values, first, axis=1)
    order = np.argsort(held, axis=1)[:, ::-1]
    held = np.take_along_axis(held, order, axis=1)
    for end in ends[:-1]:
        unclear |= held[:, end - 1] == held[:, end]
    unclear |= np.count_nonzero(values >= held[:, -1:], axis=1) > depth
    return np.take_along_axis(first, order, axis=1).astype(np.int32), unclear


def _without_masked(top: NDArray[np.int32], scores: FloatArray) -> NDArray[np.int32]:
    return np.where(np.isneginf(np.take_along_axis(scores, top, axis=1)), np.int32(NO_ITEM), top)
