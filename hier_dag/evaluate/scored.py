"""Per-user figures of one model in one setting, and whom HIER is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hier_dag.graph.csr import FloatArray, IntArray

HIER = "hier"
ZERO_SHOT = "0"
GAIN = "ndcg_over_"
"""Prefix of the metric that holds HIER's paired NDCG gain over the rival named after it."""
P_VALUE = "p_"
"""Prefix of the metric that holds the p-value of the gain named after it."""
OVER_ZERO_SHOT = "zero_shot"
"""Rival name of HIER's own zero-shot vectors: `ndcg_over_zero_shot` is what the few-shot data add."""


@dataclass
class Scored:
    """Figures of one model in one setting, per user and averaged over seeds.

    Attributes:
        shots: "0" for zero-shot, else the few-shot setting.
        model: `hier` or a baseline's name.
        variant: how the model was made, such as `closed_form`; empty for baselines.
        values: float32 [n, m], a row a user, a column a metric.
        seeds: number of seeds averaged.
        cold_items: float32 [n, m], the same over test items without few-shot training interaction, NaN
            rows for users without one; None leaves the slice out.
        novelty: float32 [n, cutoffs]; None leaves the metric out.
        exposures: int64 [seeds, slices, cutoffs, catalogue]; None leaves coverage and Gini out.
    """

    shots: str
    model: str
    variant: str
    values: FloatArray
    seeds: int
    cold_items: FloatArray | None = None
    novelty: FloatArray | None = None
    exposures: IntArray | None = None


def rivals(one: Scored, scored: Sequence[Scored]) -> Iterator[tuple[str, Scored]]:
    """Whom HIER is compared with, by the name that follows `GAIN`.

    Every baseline of the same setting under its own name, and zero-shot under `OVER_ZERO_SHOT`.

    Args:
        one: a model in a setting; only HIER has rivals.
        scored: all models and settings of the domain.
    """
    if one.model != HIER:
        return
    for other in scored:
        if other.shots == one.shots and other.model != HIER:
            yield other.model, other
    zero = next((s for s in scored if s.model == HIER and s.shots == ZERO_SHOT), None)
    if zero is not None and zero is not one:
        yield OVER_ZERO_SHOT, zero
