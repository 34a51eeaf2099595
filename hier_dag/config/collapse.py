"""Bounds of the collapse monitors, as declared under `stages.gates.collapse`, and what lies beyond them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Cosine = Annotated[float, Field(ge=-1, le=1)]
Directions = Annotated[float, Field(ge=1, allow_inf_nan=False)]

# Monitors are called as `hier_dag/train/monitors.py` calls them, which needs torch.
_FEWER_PATHS = "raise stages.pretrain.path_weight"
_MORE_PATHS = "lower stages.pretrain.path_weight or gate_lr_multiplier"
_SPREAD = (
    "lower stages.pretrain.learning_rate or l2_weight, and look whether the sources' items are linked to "
    "more than one entity"
)
_FIXES = {
    "min_open_paths": _MORE_PATHS,
    "max_open_paths": _FEWER_PATHS,
    "min_exemplar_entropy": f"{_MORE_PATHS}, or raise temperature",
    "max_view_cosine": f"raise stages.pretrain.auxiliary_weight or mi_weight, or {_MORE_PATHS}",
    "min_user_directions": _SPREAD,
    "min_item_directions": _SPREAD,
}


@dataclass(frozen=True)
class Breach:
    """A monitor beyond its bound: what is the matter, and what to do."""

    message: str
    fix: str


class CollapseBounds(BaseModel):
    """When an encoder counts as collapsed; null takes a bound away.

    Defaults lie between what true collapses give and what sound trainings do (docs/decisions.md).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    level: Literal["block", "warn"] = Field("warn", description="whether a collapsed encoder is refused")
    min_open_paths: Share | None = Field(1e-4, description="share of open intent-exemplar gates")
    max_open_paths: Share | None = None
    min_exemplar_entropy: Share | None = Field(0.05, description="1: all exemplars are used alike")
    max_view_cosine: Cosine | None = Field(0.9999, description="1: paths change no user's direction")
    min_user_directions: Directions | None = Field(2.0, description="effective rank of user vectors")
    min_item_directions: Directions | None = Field(2.0, description="effective rank of item vectors")

    @model_validator(mode="after")
    def _an_interval(self) -> CollapseBounds:
        low, high = self.min_open_paths, self.max_open_paths
        if low is not None and high is not None and low > high:
            raise ValueError(f"min_open_paths must not be above max_open_paths, is {low:g} > {high:g}")
        return self

    def breaches(self, monitors: Mapping[str, float], dim: int) -> Iterator[Breach]:
        """Every monitor beyond its bound, in the order of the bounds.

        Args:
            monitors: `open_paths` and those of `hier_dag/train/monitors.py`; one that is not there is not
                judged.
            dim: d, which turns an effective rank's share of d into directions.
        """
        for name, value, shown in _judged(monitors, dim):
            bound = getattr(self, name)
            low = name.startswith("min_")
            if bound is not None and (value < bound if low else value > bound):
                side = "below" if low else "above"
                yield Breach(f"{shown} is {side} {name} {bound:g}", _FIXES[name])


def _judged(monitors: Mapping[str, float], dim: int) -> Iterator[tuple[str, float, str]]:
    """Name of each bound, the value it is of, and the monitor in words."""
    for monitor, *names in (
        ("open_paths", "min_open_paths", "max_open_paths"),
        ("exemplar_entropy", "min_exemplar_entropy"),
        ("view_cosine", "max_view_cosine"),
    ):
        if monitor in monitors:
            for name in names:
                yield name, monitors[monitor], f"{monitor} {monitors[monitor]:.6g}"
    for monitor, name in (("user_rank", "min_user_directions"), ("item_rank", "min_item_directions")):
        if monitor in monitors:
            share = monitors[monitor]
            words = f"{monitor} {share:.4g} ({share * dim:.2f} of {dim} directions)"
            yield name, share * dim, words
