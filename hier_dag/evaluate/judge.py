"""Everything that is measured of one model in one setting, from one pass over blocks of users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.evaluate.beyond_accuracy import exposure, novelty, self_information
from hier_dag.evaluate.metrics import user_metrics
from hier_dag.evaluate.ranking import Ranking, RankingTask, Scorer, rank_catalogue
from hier_dag.evaluate.slices import SLICES, slice_masks
from hier_dag.graph.csr import FloatArray, IntArray


@dataclass(frozen=True)
class Judged:
    """Figures of one model in one setting; per-user figures are averaged over seeds.

    Attributes:
        values: float32 [n, m], `user_metrics` over all test items.
        cold_items: float32 [n, m], `user_metrics` over the test items that have no few-shot training
            interaction; NaN rows for users without such an item. None in zero-shot: it would equal `values`.
        novelty: float32 [n, len(cutoffs)], bits.
        exposures: int64 [seeds, slices, cutoffs, catalogue], how many users of each of `SLICES` have an item
            in their top K.
    """

    values: FloatArray
    cold_items: FloatArray | None
    novelty: FloatArray
    exposures: IntArray


def judge(
    scorers: Sequence[Scorer],
    task: RankingTask,
    seeds: Sequence[int],
    cutoffs: tuple[int, ...],
    known: IntArray,
    origin: NDArray[np.int8],
    zero_shot: bool,
) -> Judged:
    """Ranks and measures a model.

    Args:
        scorers: one a seed, or a single one for all seeds, whose scores are then made once.
        task: users, test items and masked items.
        seeds: seeds of tie breaking.
        cutoffs: values of K.
        known: int64 [catalogue], interactions by which an item is known in this setting: few-shot training
            counts, or in zero-shot the counts of the source domains.
        origin: int8 [n], `Encoding.user_origin` of the task's users.
        zero_shot: True where no interaction of the target is known.

    Raises:
        TrainingError: a score is NaN or infinite.
    """
    rankings = _rankings(scorers, task, seeds, cutoffs)
    information, cold = self_information(known), known == 0
    members = slice_masks(origin)
    shown = np.zeros((len(seeds), len(SLICES), len(cutoffs), len(task.items)), dtype=np.int64)
    values, novel, unknown = [], [], []
    for at, ranking in enumerate(rankings):
        values.append(user_metrics(ranking.ranks, task.test.indptr, cutoffs))
        novel.append(novelty(ranking.top, information, cutoffs))
        if not zero_shot:
            unknown.append(_on_items(ranking.ranks, task, cold, cutoffs))
        for name, member in members.items():
            for j, k in enumerate(cutoffs):
                shown[at, SLICES.index(name), j] = exposure(ranking.top[member], k, len(task.items))
    return Judged(_mean(values), _mean(unknown) if unknown else None, _mean(novel), shown)


def _rankings(
    scorers: Sequence[Scorer], task: RankingTask, seeds: Sequence[int], cutoffs: tuple[int, ...]
) -> list[Ranking]:
    if len(scorers) == 1:
        return rank_catalogue(scorers[0], task, seeds, cutoffs)
    return [
        rank_catalogue(scorer, task, (seed,), cutoffs)[0] for scorer, seed in zip(scorers, seeds, strict=True)
    ]


def _on_items(
    ranks: IntArray, task: RankingTask, which: NDArray[np.bool_], cutoffs: tuple[int, ...]
) -> FloatArray:
    """`user_metrics` over some of the test items; their places are still those among the whole catalogue."""
    kept = which[task.test.indices]
    degrees = np.bincount(task.test.row_of_entry()[kept], minlength=task.test.rows)
    having = degrees > 0
    indptr = np.concatenate([[0], np.cumsum(degrees[having])])
    some = user_metrics(ranks[kept], indptr, cutoffs)
    out = np.full((len(having), some.shape[1]), np.nan, dtype=np.float32)
    out[having] = some
    return out


def _mean(parts: Sequence[FloatArray]) -> FloatArray:
    return np.mean(parts, axis=0, dtype=np.float32)
