"""Full ranking in blocks: the place of every test item among a domain's whole catalogue.

A block of scores becomes one int64 per (user, item): the score's bits, order-preserving, above 32 random
bits. Comparing those integers ranks by score and breaks ties at random in a single pass, and the random
bits are a hash of (seed, user, item), so neither the order of items nor the block size moves a rank.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.errors import TrainingError
from hier_dag.graph.csr import CSR, FloatArray, IntArray

Scorer = Callable[[IntArray], FloatArray]
"""Row positions of users, int64 [b] -> scores float32 [b, n_items]."""

BLOCK_ENTRIES = 1 << 20  # scores held at once: 4 MB of float32, 8 MB of ordering keys
_USERS = 0x9E3779B9  # keeps user 7 and item 7 from hashing alike
_MASKED = np.iinfo(np.int64).min


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
    out = np.empty(task.test.nnz, dtype=np.int64)
    step = max(1, block_entries // max(1, len(task.items)))
    item_keys = _hash(task.items, seed)
    for start in range(0, len(task.rows), step):
        stop = min(start + step, len(task.rows))
        rows = task.rows[start:stop]
        keys = _ordering_keys(score(rows), _hash(rows, _USERS), item_keys)
        _mask(keys, task.masked, start, stop)
        first, last = task.test.indptr[start], task.test.indptr[stop]
        owner = np.repeat(np.arange(stop - start), np.diff(task.test.indptr[start : stop + 1]))
        out[first:last] = _places(keys, owner, task.test.indices[first:last], step)
    return out


def _ordering_keys(
    scores: FloatArray, user_keys: NDArray[np.uint32], item_keys: NDArray[np.uint32]
) -> NDArray[np.int64]:
    if not np.isfinite(scores).all():
        raise TrainingError(
            "a score is NaN or infinite", fix="look at the training curve; lower the learning rate"
        )
    # Adding 0 turns -0.0 into +0.0, which must tie. The bits of a float32 order as integers do, once those
    # of negatives are flipped.
    bits = (scores.astype(np.float32, copy=False) + np.float32(0)).view(np.int32)
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    noise = user_keys[:, None] ^ item_keys[None, :]
    _mix(noise)
    return (bits.astype(np.int64) << 32) | noise


def _mask(keys: NDArray[np.int64], masked: CSR, start: int, stop: int) -> None:
    owner = np.repeat(np.arange(stop - start), np.diff(masked.indptr[start : stop + 1]))
    keys[owner, masked.indices[masked.indptr[start] : masked.indptr[stop]]] = _MASKED


def _places(keys: NDArray[np.int64], owner: IntArray, item: IntArray, step: int) -> IntArray:
    places = np.empty(len(item), dtype=np.int64)
    for at in range(0, len(item), step):
        row, own = owner[at : at + step], keys[owner[at : at + step], item[at : at + step]]
        places[at : at + step] = 1 + np.count_nonzero(keys[row] > own[:, None], axis=1)
    return places


def _hash(numbers: IntArray, seed: int) -> NDArray[np.uint32]:
    x = numbers.astype(np.uint32)
    x ^= np.uint32((seed * 0x85EBCA6B + 0x27220A95) & 0xFFFFFFFF)
    _mix(x)
    return x


def _mix(x: NDArray[np.uint32]) -> None:
    """Scrambles 32-bit integers in place (the finaliser of MurmurHash3: every bit flips every other)."""
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
