"""Every cell against the default, user by user: figures, intervals and paired tests of a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hier_dag.evaluate.bootstrap import intervals
from hier_dag.study.cell import DEFAULT
from hier_dag.study.estimate import METRICS, Estimate, Values, estimate, holm, mean_over_targets, p_values
from hier_dag.study.files import CELL, RECORDS, USERS
from hier_dag.study.study import Finished

MEAN = "mean"
"""Domain of the rows that hold the mean over targets, each target weighing the same."""

TIDY_SCHEMA = pa.schema(
    [
        pa.field(name, kind, nullable=kind == pa.float64())
        for name, kind in (
            ("study", pa.string()), ("cell", pa.string()), ("axis", pa.string()), ("at", pa.float64()),
            ("domain", pa.string()), ("shots", pa.string()), ("metric", pa.string()), ("k", pa.int64()),
            ("value", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
            ("change", pa.float64()), ("change_low", pa.float64()), ("change_high", pa.float64()),
            ("p", pa.float64()), ("p_holm", pa.float64()), ("users", pa.int64()), ("seeds", pa.int64()),
        )
    ]
)  # fmt: skip


def compare(finished: Sequence[Finished], resamples: int, base: str = DEFAULT) -> pa.Table:
    """Quality of every cell and its change against another, per target and on the mean of the targets.

    Values are averaged over seeds user by user; a change is taken within each seed that both cells have.
    Intervals: 95 % bootstrap over users, the same users drawn for every cell. p: two-sided paired t-test
    over users; p_holm: the same, corrected by Holm's method for all cells (and targets) of its setting and
    metric. Seconds and sizes are rows of their own, with the range over seeds.

    Args:
        finished: cells, those of `base` among them.
        resamples: bootstrap resamples.
        base: label that the others are compared with.

    Returns:
        `TIDY_SCHEMA`.
    """
    values, k = _values(finished)
    labels = list(dict.fromkeys(f.cell.label for f in finished))
    rows: list[dict[str, Any]] = []
    for shots in dict.fromkeys(s for _, _, s in values):
        domains = list(dict.fromkeys(d for _, d, s in values if s == shots))
        for column, metric in enumerate(METRICS):
            estimates = [
                estimate(values, labels, base, (domain, shots, column), resamples, seed)
                for seed, domain in enumerate(domains)
            ]
            named = [*zip(domains, estimates, strict=True), (MEAN, mean_over_targets(estimates))]
            block = [r for domain, one in named for r in _rows(one, domain, shots, metric, k)]
            rows += _holm_in(block, labels, base)
    cells = {f.cell.label: f for f in finished}
    seeds = {label: sum(f.cell.label == label for f in finished) for label in labels}
    for row in rows:
        label = labels[row.pop("at_label")]
        row |= {"cell": label, "axis": cells[label].cell.axis, "at": cells[label].cell.at}
        row["seeds"] = seeds[label]
    rows += _measurements(finished, seeds)
    study = finished[0].artifact.json(CELL)["study"]
    return pa.Table.from_pylist([{"study": study, **row} for row in rows], schema=TIDY_SCHEMA)


def _values(finished: Sequence[Finished]) -> tuple[Values, int]:
    values: Values = {}
    k = 0
    for one in finished:
        table = pq.read_table(one.artifact.file(USERS))
        records = pq.read_table(one.artifact.file(RECORDS), columns=["metric", "k"])
        cutoffs = records.filter(pc.equal(records["metric"], "ndcg"))["k"]
        k = pc.min(cutoffs).as_py() or k
        groups = table.group_by(["domain", "shots"], use_threads=False).aggregate([]).to_pylist()
        for group in groups:
            mine = pc.and_(
                pc.equal(table["domain"], group["domain"]), pc.equal(table["shots"], group["shots"])
            )
            part = table.filter(mine)
            per_user = np.stack([part[m].to_numpy() for m in METRICS], axis=1)
            values.setdefault((one.cell.label, group["domain"], group["shots"]), {})[one.cell.seed] = per_user
    return values, k


def _rows(one: Estimate, domain: str, shots: str, metric: str, k: int) -> list[dict[str, Any]]:
    low, high = intervals(one.draws)
    n = len(one.value)
    p = p_values(one.change, one.variance, one.freedom)
    about = {"domain": domain, "shots": shots, "metric": metric, "k": k, "users": one.users}
    return [
        {
            **about, "at_label": at, "value": float(one.value[at]), "p": float(p[at]),
            "low": float(low[at]), "high": float(high[at]), "change": float(one.change[at]),
            "change_low": float(low[n + at]), "change_high": float(high[n + at]),
        }
        for at in range(n)
        if np.isfinite(one.value[at])
    ]  # fmt: skip


def _holm_in(rows: list[dict[str, Any]], labels: list[str], base: str) -> list[dict[str, Any]]:
    """Adds p_holm: means over targets are one family of tests, single targets another."""
    for row in rows:
        if labels[row["at_label"]] == base:
            row["p"] = None
    for family in (True, False):
        tests = [r for r in rows if (r["domain"] == MEAN) is family and labels[r["at_label"]] != base]
        corrected = holm(np.array([r["p"] for r in tests]))
        for row, value in zip(tests, corrected.tolist(), strict=True):
            row["p_holm"] = value
    return rows


def _measurements(finished: Sequence[Finished], seeds: dict[str, int]) -> list[dict[str, Any]]:
    """Seconds and sizes of every cell: mean and range over seeds."""
    found: dict[tuple[str, str], list[float]] = {}
    cells = {f.cell.label: f for f in finished}
    for one in finished:
        sizes = {k: v for k, v in one.artifact.manifest.summary.items() if isinstance(v, int | float)}
        for name, value in {**one.seconds, **sizes}.items():
            found.setdefault((one.cell.label, name), []).append(float(value))
    return [
        {
            "cell": label, "k": 0,
            "axis": cells[label].cell.axis, "at": cells[label].cell.at, "domain": "", "shots": "",
            "metric": name, "value": sum(values) / len(values), "low": min(values), "high": max(values),
            "users": 0, "seeds": seeds[label],
        }
        for (label, name), values in found.items()
    ]  # fmt: skip
