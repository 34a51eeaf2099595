"""Look-ups in a table of records that cards and plots share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

from hier_dag.errors import UsageError
from hier_dag.evaluate.scored import HIER


@dataclass(frozen=True)
class Figure:
    """One figure with its interval."""

    value: float
    low: float
    high: float
    users: int
    variant: str


@dataclass(frozen=True)
class Figures:
    """The records of one domain, by (slice, metric, k, shots, model).

    Attributes:
        domain: its name.
        table: the figures.
        k: the smallest declared cutoff of NDCG, which cards and plots show.
        shots: settings in order of evidence: "0", shares, counts, "all".
        baselines: names of the models that are not HIER, in order of appearance.
        seeds: seeds averaged.
    """

    domain: str
    table: dict[tuple[str, str, int, str, str], Figure]
    k: int
    shots: tuple[str, ...]
    baselines: tuple[str, ...]
    seeds: int

    @property
    def users(self) -> int:
        """Users with a test item."""
        return max(figure.users for figure in self.table.values())

    def get(
        self, metric: str, shots: str, model: str, users: str = "all", k: int | None = None
    ) -> Figure | None:
        """The figure at a cutoff (the smallest unless told), or None where there is no record."""
        return self.table.get((users, metric, self.k if k is None else k, shots, model))

    def strongest_baseline(
        self, shots: str, users: str = "all", among: Collection[str] | None = None
    ) -> str | None:
        """Name of the baseline (of all, or of some) with the highest NDCG in a setting and slice."""
        names = [b for b in self.baselines if among is None or b in among]
        having = {b: f.value for b in names if (f := self.get("ndcg", shots, b, users))}
        return max(having, key=having.__getitem__) if having else None


def figures(records: pa.Table, domain: str) -> Figures:
    """Indexes the records of one domain.

    Raises:
        UsageError: the table holds no record of the domain.
    """
    # pyarrow would import pandas to compare a column with a word: most of a second for some hundred rows.
    rows = [row for row in records.to_pylist() if row["domain"] == domain]
    if not rows:
        raise UsageError(
            "there is no record of this domain",
            domain=domain,
            fix="a domain without test interactions has vectors but no figures; check its name otherwise",
        )
    table: dict[tuple[str, str, int, str, str], Figure] = {}
    for r in rows:
        figure = Figure(r["value"], r["low"], r["high"], r["users"], r["variant"])
        table[r["slice"], r["metric"], r["k"], r["shots"], r["model"]] = figure
    return Figures(
        domain=domain,
        table=table,
        k=min(r["k"] for r in rows if r["metric"] == "ndcg"),
        shots=tuple(sorted({r["shots"] for r in rows}, key=evidence_order)),
        baselines=tuple(dict.fromkeys(r["model"] for r in rows if r["model"] != HIER)),
        seeds=max(r["seeds"] for r in rows),
    )


def evidence_order(shots: str) -> tuple[int, float]:
    """Sort key of settings: zero-shot, shares ascending, counts per user ascending, all."""
    if shots == "0":
        return 0, 0.0
    if shots.endswith("%"):
        return 1, float(shots[:-1])
    return (3, 0.0) if shots == "all" else (2, float(shots))
