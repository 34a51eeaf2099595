"""The tidy table of results: one row a figure, with its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hier_dag.evaluate.beyond_accuracy import coverage, gini
from hier_dag.evaluate.bootstrap import bootstrap_means, intervals
from hier_dag.evaluate.metrics import Metric
from hier_dag.evaluate.paired import sign_flip_p
from hier_dag.evaluate.scored import GAIN, HIER, P_VALUE, ZERO_SHOT, Scored, rivals
from hier_dag.evaluate.slices import COLD_ITEMS, SLICES, slice_masks
from hier_dag.graph.csr import FloatArray

__all__ = ["GAIN", "HIER", "P_VALUE", "RECORD_SCHEMA", "Scored", "make_records"]

RECORD_SCHEMA = pa.schema(
    [
        pa.field(name, kind, nullable=False)
        for name, kind in (
            ("domain", pa.string()), ("setting", pa.string()), ("shots", pa.string()),
            ("model", pa.string()), ("variant", pa.string()), ("slice", pa.string()),
            ("metric", pa.string()), ("k", pa.int64()), ("value", pa.float64()),
            ("low", pa.float64()), ("high", pa.float64()), ("users", pa.int64()), ("seeds", pa.int64()),
        )
    ]
)  # fmt: skip
LEAST_FLIPS = 1999
"""Sign flips behind a p-value, however few resamples are asked: p can then be small enough to stay below 5 %
when Holm multiplies it by the number of baselines, up to 100 of them."""


@dataclass(frozen=True)
class _Column:
    """One per-user figure: float32 [n], NaN for users outside its slice."""

    of: Scored
    metric: str
    k: int
    values: FloatArray


def make_records(
    domain: str,
    scored: list[Scored],
    metrics: tuple[Metric, ...],
    origin: NDArray[np.int8],
    resamples: int,
    seed: int,
) -> pa.Table:
    """Figures of every slice with percentile bootstrap intervals over users (`RECORD_SCHEMA`).

    Next to each metric of `hier` stands its paired NDCG gain over every rival (`rivals`), as metric
    `ndcg_over_<rival>`, and its sign-flip p-value, as `p_ndcg_over_<rival>` with low = high = value: the
    interval of a difference is narrower than two intervals suggest. Coverage and Gini have low = high = value
    too: they are figures of all lists together, and a resample of users, which holds 63 % of them, covers
    less of the catalogue whatever the model, so that its percentiles need not even hold the figure.

    Args:
        domain: name of the target.
        scored: models and settings, all over the same users and metrics.
        metrics: meaning of the columns of `Scored.values`.
        origin: int8 [n], `Encoding.user_origin` of those users.
        resamples: bootstrap resamples, and sign flips if more than `LEAST_FLIPS`.
        seed: seeds both.
    """
    if not scored or len(origin) == 0:
        return RECORD_SCHEMA.empty_table()
    rows: list[dict[str, object]] = []
    columns = list(_columns(scored, metrics, lambda one: one.values))
    cutoffs = _cutoffs(metrics)
    for one in scored:
        if one.novelty is not None:
            columns += [_Column(one, "novelty", k, one.novelty[:, at]) for at, k in enumerate(cutoffs)]
    for name, member in slice_masks(origin).items():
        rows += _summaries(domain, name, columns, member, resamples, seed)
        rows += _list_figures(domain, name, scored, cutoffs, int(member.sum()))
    for shots in dict.fromkeys(one.shots for one in scored):
        known = [one for one in scored if one.shots == shots and one.cold_items is not None]
        columns = list(_columns(known, metrics, lambda one: one.cold_items))
        if columns and (member := ~np.isnan(columns[0].values)).any():
            rows += _summaries(domain, COLD_ITEMS, columns, member, resamples, seed)
    return pa.Table.from_pylist(rows, schema=RECORD_SCHEMA)


def _columns(
    scored: list[Scored], metrics: tuple[Metric, ...], take: Callable[[Scored], FloatArray | None]
) -> Iterator[_Column]:
    for one in scored:
        values = take(one)
        assert values is not None
        for at, metric in enumerate(metrics):
            yield _Column(one, metric.name, metric.k, values[:, at])
        for name, other in rivals(one, scored):
            against = take(other)
            assert against is not None
            for at, metric in enumerate(metrics):
                if metric.name == "ndcg":
                    yield _Column(one, GAIN + name, metric.k, values[:, at] - against[:, at])


def _summaries(
    domain: str, name: str, columns: list[_Column], member: NDArray[np.bool_], resamples: int, seed: int
) -> Iterator[dict[str, object]]:
    values = np.stack([c.values for c in columns], axis=1)[member]
    mean = values.mean(axis=0, dtype=np.float64).tolist()
    low, high = intervals(bootstrap_means(values, resamples, seed))
    for c, value, lo, hi in zip(columns, mean, low.tolist(), high.tolist(), strict=True):
        # Sums in float32 may put the ends of a zero-width interval a rounding error beside its value.
        yield _row(domain, name, c.of, c.metric, c.k, (value, min(lo, value), max(hi, value)), len(values))
    flips = max(resamples, LEAST_FLIPS)
    gains = [at for at, c in enumerate(columns) if c.metric.startswith(GAIN)]
    for at, p in zip(gains, sign_flip_p(values[:, gains], flips, seed).tolist(), strict=True):
        c = columns[at]
        yield _row(domain, name, c.of, P_VALUE + c.metric, c.k, (p, p, p), len(values))


def _list_figures(
    domain: str, name: str, scored: list[Scored], cutoffs: tuple[int, ...], users: int
) -> Iterator[dict[str, object]]:
    for one in scored:
        if one.exposures is None or one.exposures.shape[-1] == 0:
            continue
        shown = one.exposures[:, SLICES.index(name)]
        for metric, figure in (("coverage", coverage), ("gini", gini)):
            for k, value in zip(cutoffs, figure(shown).mean(axis=0).tolist(), strict=True):
                yield _row(domain, name, one, metric, k, (value, value, value), users)


def _row(
    domain: str,
    name: str,
    of: Scored,
    metric: str,
    k: int,
    figure: tuple[float, float, float],
    users: int,
) -> dict[str, object]:
    return {
        "domain": domain, "setting": "zero_shot" if of.shots == ZERO_SHOT else "few_shot", "shots": of.shots,
        "model": of.model, "variant": of.variant, "slice": name, "metric": metric, "k": k, "value": figure[0],
        "low": figure[1], "high": figure[2], "users": users, "seeds": of.seeds,
    }  # fmt: skip


def _cutoffs(metrics: tuple[Metric, ...]) -> tuple[int, ...]:
    return tuple(metric.k for metric in metrics if metric.name == "ndcg")
