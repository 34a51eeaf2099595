"""Figures of all cells in one target and setting, and their changes against one of them, user by user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from hier_dag.evaluate.bootstrap import bootstrap_means
from hier_dag.graph.csr import FloatArray

METRICS = ("ndcg", "hr")
Values = dict[tuple[str, str, str], dict[int, FloatArray]]
"""Per-user metrics by (cell, domain, shots) and seed: float32 [n, METRICS]."""


@dataclass
class Estimate:
    """One column a cell: figures and changes in one target and setting, or their mean over targets."""

    value: NDArray[np.float64]
    change: NDArray[np.float64]
    draws: NDArray[np.float64]  # [resamples, 2 × cells]: figures, then changes
    variance: NDArray[np.float64]  # of the change's mean
    users: int
    freedom: float


def estimate(
    values: Values,
    labels: list[str],
    base: str,
    where: tuple[str, str, int],
    resamples: int,
    seed: int,
) -> Estimate:
    """Figures of every cell in one target and setting, and changes against a base.

    Args:
        values: per-user metrics of every cell and seed, over the same users.
        labels: cells, one a column.
        base: label that the others are compared with.
        where: domain, shots and column of METRICS.
        resamples: bootstrap resamples; the same users are drawn for every cell.
        seed: seeds the bootstrap.
    """
    domain, shots, column = where
    reference = values[base, domain, shots]
    n = len(next(iter(reference.values())))
    figures, changes = np.full((n, len(labels)), np.nan, np.float32), np.zeros((n, len(labels)), np.float32)
    for at, label in enumerate(labels):
        mine = values.get((label, domain, shots), {})
        if mine:
            figures[:, at] = np.mean([v[:, column] for v in mine.values()], axis=0)
        both = [s for s in mine if s in reference]
        changes[:, at] = (
            np.mean([mine[s][:, column] - reference[s][:, column] for s in both], axis=0) if both else np.nan
        )
    together = np.concatenate([figures, changes], axis=1)
    return Estimate(
        value=figures.mean(axis=0, dtype=np.float64),
        change=changes.mean(axis=0, dtype=np.float64),
        draws=bootstrap_means(together, resamples, seed),
        variance=changes.var(axis=0, ddof=1, dtype=np.float64) / n if n > 1 else np.zeros(len(labels)),
        users=n,
        freedom=max(1, n - 1),
    )


def mean_over_targets(estimates: list[Estimate]) -> Estimate:
    """The mean over targets, drawn independently of one another."""
    return Estimate(
        value=np.mean([e.value for e in estimates], axis=0),
        change=np.mean([e.change for e in estimates], axis=0),
        draws=np.mean([e.draws for e in estimates], axis=0),
        variance=np.sum([e.variance for e in estimates], axis=0) / len(estimates) ** 2,
        users=sum(e.users for e in estimates),
        freedom=sum(e.freedom for e in estimates),
    )


def p_values(
    change: NDArray[np.float64], variance: NDArray[np.float64], freedom: float
) -> NDArray[np.float64]:
    """Two-sided p of a paired t-test; 1 where no user's figure differs."""
    t = np.divide(np.abs(change), np.sqrt(variance), out=np.zeros_like(change), where=variance > 0)
    return np.asarray(2.0 * stats.t.sf(t, freedom))


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """p-values corrected for being looked at together (Holm 1979), float64 [n]."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty_like(p)
    out[order] = np.minimum(stepped, 1.0)
    return out
