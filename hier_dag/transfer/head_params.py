"""Weights and choices of the few-shot head over both graphs, as declared under `stages.transfer.head`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf


@dataclass(frozen=True, kw_only=True)
class HeadParams:
    """What the score of formulation `dual` is made of; one set of defaults serves every platform.

    The defaults were chosen on source domains that played the target (docs/decisions.md), never on a target.
    A term's weight stands within its group; a group's scale is chosen in each target by leave-one-out.

    Attributes:
        profile_weight: cosine of the entity profiles of source history and item.
        own_profile_weight: the same with the user's few-shot items.
        paths_weight: popularity along the decision paths.
        path_visitors_weight: kernel over path profiles, user against the item's visitors.
        crowd_visitors_weight: kernel over tastes of the users × items graph, likewise.
        taste_weight: kernel over trained content vectors, likewise.
        content_weight: trained content score over predicted popularity.
        crowd_scales: scales of the three crowd terms that leave-one-out may choose among.
        crowd_prior: the scale that no evidence moves; None takes what the sources found when each played the
            target, at as many few-shot pairs an item (`hier_dag/train/rehearsal.py`).
        taste_scales, taste_prior: likewise.
        content_scales, content_prior: likewise.
        inertia: what leaving a prior costs, in units of leave-one-out gain (`leave_one_out.py`).
        zero_shot_profile: weight of the entity profile beside the trained score in zero-shot, in standard
            deviations over the catalogue, where the sources know every entity of it.
        zero_shot_unknown: what the weight grows by where they know none.
        zero_shot_breadth: weight of the number of an item's entities in zero-shot, likewise.
        zero_shot_breadth_unknown: what that weight grows by where the sources know none of them.
        residual_epochs: passes over the few-shot pairs that fit item residuals; 0 fits none.
        residual_learning_rate: Adam's learning rate of the residuals.
    """

    profile_weight: float = 0.6
    own_profile_weight: float = 1.2
    paths_weight: float = 3.0
    path_visitors_weight: float = 2.0
    crowd_visitors_weight: float = 2.0
    taste_weight: float = 2.0
    content_weight: float = 0.3
    crowd_scales: tuple[float, ...] = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0)
    crowd_prior: float | None = None
    taste_scales: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0)
    taste_prior: float = 1.0
    content_scales: tuple[float, ...] = (0.0, 0.5, 1.0)
    content_prior: float = 0.5
    inertia: float = 1.0
    zero_shot_profile: float = 0.25
    zero_shot_unknown: float = 0.5
    zero_shot_breadth: float = 0.1
    zero_shot_breadth_unknown: float = 0.6
    residual_epochs: int = 4
    residual_learning_rate: float = 1e-3

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            values = value if isinstance(value, tuple) else (value,)
            if value is None:
                continue
            if not values or not all(0 <= v < inf for v in values):
                raise ValueError(f"{field.name} must be finite and not negative or empty, is {value}")
        for name in ("crowd_scales", "taste_scales", "content_scales"):
            if max(getattr(self, name)) == 0:
                raise ValueError(f"{name} needs a scale above 0; to leave terms out set their weights to 0")
