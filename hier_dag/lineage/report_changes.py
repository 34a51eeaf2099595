"""Figures of two models' report cards side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from hier_dag.evaluate.scored import HIER
from hier_dag.graph.reading import reading
from hier_dag.lineage.at_hand import file_at_hand
from hier_dag.registry import ArtifactRow
from hier_dag.store import ArtifactStore

_REPORT = "report.parquet"
_KEY = ("setting", "shots", "model", "variant", "metric", "k")
Figures = dict[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class MetricChange:
    """A figure over all users, with its 95 % interval.

    Attributes:
        setting: zero-shot or few-shot.
        shots: which few-shot setting.
        model: `hier` or a baseline.
        variant: of the model.
        metric: such as `ndcg`.
        k: length of the list.
        before: value, low, high; None where the report has no such figure.
        after: the same.
    """

    setting: str
    shots: str
    model: str
    variant: str
    metric: str
    k: int
    before: tuple[float, float, float] | None
    after: tuple[float, float, float] | None

    @property
    def difference(self) -> float | None:
        """After less before; None where one of them is missing."""
        return None if self.before is None or self.after is None else self.after[0] - self.before[0]

    @property
    def ours(self) -> bool:
        """Whether it is HIER's."""
        return self.model == HIER

    def as_json(self) -> dict[str, Any]:
        """As a JSON-serialisable record."""
        return {**asdict(self), "difference": self.difference}


def metrics_changed(
    stores: Mapping[str, ArtifactStore], before: ArtifactRow | None, after: ArtifactRow | None
) -> Iterator[MetricChange]:
    """Every figure over all users of two report cards, in the order of the cards; equal ones too.

    Args:
        stores: by platform, where report cards are read; one that is not stored any more has no figures.
        before: record of the one model; None where there is none.
        after: record of the other.
    """
    old, new = _figures(stores, before), _figures(stores, after)
    for key in dict.fromkeys((*new, *old)):
        named = dict(zip(_KEY, key, strict=True))
        yield MetricChange(**named, before=_value(old.get(key)), after=_value(new.get(key)))


def _figures(stores: Mapping[str, ArtifactStore], row: ArtifactRow | None) -> Figures:
    file = None if row is None else file_at_hand(stores, row.kind, row.digest, _REPORT)
    if file is None:
        return {}
    with reading(file):
        table = pq.read_table(file, filters=pc.field("slice") == "all")
    return {tuple(r[name] for name in _KEY): r for r in table.to_pylist()}


def _value(record: Mapping[str, Any] | None) -> tuple[float, float, float] | None:
    return None if record is None else (record["value"], record["low"], record["high"])
