"""The tidy table of results: one row a figure, with its interval."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hier_dag.evaluate.bootstrap import bootstrap_means, intervals
from hier_dag.evaluate.metrics import Metric
from hier_dag.evaluate.slices import slice_masks
from hier_dag.graph.csr import FloatArray

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
HIER = "hier"
GAIN = "ndcg_over_"
"""Prefix of the metric that holds HIER's paired NDCG gain over the baseline named after it."""


@dataclass
class Scored:
    """Per-user metrics of one model in one setting, averaged over seeds.

    Attributes:
        shots: "0" for zero-shot, else the few-shot setting.
        model: `hier` or a baseline's name.
        variant: how the model was made, such as `closed_form`; empty for baselines.
        values: float32 [n, m], a row a user, a column a metric.
        seeds: number of seeds averaged.
    """

    shots: str
    model: str
    variant: str
    values: FloatArray
    seeds: int


@dataclass
class _Columns:
    heads: list[tuple[str, str, str, str, int, int]] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)

    def add(self, of: Scored, metric: str, k: int, values: FloatArray) -> None:
        self.heads.append((of.shots, of.model, of.variant, metric, k, of.seeds))
        self.values.append(values)


def make_records(
    domain: str,
    scored: list[Scored],
    metrics: tuple[Metric, ...],
    origin: NDArray[np.int8],
    resamples: int,
    seed: int,
) -> pa.Table:
    """Means over users with percentile bootstrap intervals, for every slice (`RECORD_SCHEMA`).

    Next to each metric of `hier` stands its paired NDCG gain over every baseline of the same setting,
    as metric `ndcg_over_<baseline>`: the interval of a difference is narrower than two intervals suggest.

    Args:
        domain: name of the target.
        scored: models and settings, all over the same users and metrics.
        metrics: meaning of the columns of `Scored.values`.
        origin: int8 [n], `Encoding.user_origin` of those users.
        resamples: bootstrap resamples.
        seed: seeds the bootstrap.
    """
    if not scored or len(origin) == 0:
        return RECORD_SCHEMA.empty_table()
    columns = _columns(scored, metrics)
    values = np.stack(columns.values, axis=1)
    rows: list[dict[str, object]] = []
    for name, member in slice_masks(origin).items():
        part = values[member]
        low, high = intervals(bootstrap_means(part, resamples, seed))
        mean = part.mean(axis=0, dtype=np.float64)
        # Sums in float32 may put the ends of a zero-width interval a rounding error beside its value.
        for (shots, model, variant, metric, k, seeds), value, lo, hi in zip(
            columns.heads, mean.tolist(), low.tolist(), high.tolist(), strict=True
        ):
            rows.append(
                {"domain": domain, "setting": "zero_shot" if shots == "0" else "few_shot", "shots": shots,
                 "model": model, "variant": variant, "slice": name, "metric": metric, "k": k, "value": value,
                 "low": min(lo, value), "high": max(hi, value), "users": len(part), "seeds": seeds}
            )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=RECORD_SCHEMA)


def _columns(scored: list[Scored], metrics: tuple[Metric, ...]) -> _Columns:
    columns = _Columns()
    for one in scored:
        for at, metric in enumerate(metrics):
            columns.add(one, metric.name, metric.k, one.values[:, at])
        if one.model != HIER:
            continue
        for other in scored:
            if other.model != HIER and other.shots == one.shots:
                for at, metric in enumerate(metrics):
                    if metric.name == "ndcg":
                        gain = one.values[:, at] - other.values[:, at]
                        columns.add(one, GAIN + other.model, metric.k, gain)
    return columns
