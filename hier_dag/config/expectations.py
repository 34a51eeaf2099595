"""Bounds of the statistical expectations, as declared under `expectations` in domains.yaml.

Defaults stand in `schemas/expectations/suites/`; what is declared here replaces them, for the platform under
`stages.expectations` and for one domain under `domains.<name>.expectations`.
"""

from __future__ import annotations

from math import isfinite
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_STRICT = ConfigDict(extra="forbid", frozen=True)

Level = Literal["warn", "block", "skip"]


class Bound(BaseModel):
    """What of an expectation is declared; what is not stays as the suite has it."""

    model_config = _STRICT
    min: float | None = Field(None, description="smallest value that is expected; null: none")
    max: float | None = Field(None, description="largest value that is expected; null: none")
    level: Level | None = Field(
        None, description="warn: shown; block: nothing is committed; skip: not asked at all"
    )

    @model_validator(mode="after")
    def _an_interval(self) -> Bound:
        given = [v for v in (self.min, self.max) if v is not None]
        if not all(map(isfinite, given)):
            raise ValueError("min and max must be finite numbers; write null for none")
        if len(given) == 2 and given[0] > given[1]:
            raise ValueError(f"min must not be above max, is {given[0]:g} > {given[1]:g}")
        return self

    @property
    def declared(self) -> dict[str, float | str | None]:
        """min, max and level, those that were written."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class ExpectationParams(BaseModel):
    """Every expectation by name. Shares are of 1, ratios and growth against the last accepted version."""

    model_config = _STRICT
    rows: Bound = Field(Bound(), description="events")
    volume_ratio: Bound = Field(Bound(), description="events, as a multiple of the last version's")
    volume_growth: Bound = Field(Bound(), description="the same, bounded above")
    user_ratio: Bound = Field(Bound(), description="users, as a multiple of the last version's")
    item_ratio: Bound = Field(Bound(), description="items, as a multiple of the last version's")
    new_users: Bound = Field(Bound(), description="share of users that the last version does not have")
    new_items: Bound = Field(Bound(), description="share of items that the last version does not have")
    kept_users: Bound = Field(Bound(), description="share of the last version's users that are still there")
    kept_items: Bound = Field(Bound(), description="share of the last version's items that are still there")
    users_as_items: Bound = Field(
        Bound(), description="ids, numbers apart, on both sides, as a share of the smaller side"
    )
    swapped_ids: Bound = Field(Bound(), description="rise in the share of ids that were on the other side")
    behavior_psi: Bound = Field(Bound(), description="PSI of the mix of behaviours")
    lost_behaviors: Bound = Field(
        Bound(), description="behaviours that are gone, each 1 % of the rows before"
    )
    new_behaviors: Bound = Field(Bound(), description="behaviours that are new")
    user_activity_psi: Bound = Field(Bound(), description="PSI of log2 events per user")
    user_activity_ks: Bound = Field(Bound(), description="KS of log2 events per user")
    item_activity_psi: Bound = Field(Bound(), description="PSI of log2 events per item")
    item_activity_ks: Bound = Field(Bound(), description="KS of log2 events per item")
    top_user_share: Bound = Field(Bound(), description="share of the events that one user has")
    top_user_day: Bound = Field(Bound(), description="events of one user in one day")
    burst_growth: Bound = Field(Bound(), description="the same, as a multiple of the last version's")
    weight_psi: Bound = Field(Bound(), description="PSI of log2 weights")
    weight_ks: Bound = Field(Bound(), description="KS of log2 weights")
    hour_psi: Bound = Field(Bound(), description="PSI of the hours of the day")
    hour_ks: Bound = Field(Bound(), description="KS of the hours of the day")
    gap_share: Bound = Field(Bound(), description="longest run of days without events, of all days spanned")
    gap_growth: Bound = Field(Bound(), description="days by which the longest such run grew")
    days_ratio: Bound = Field(Bound(), description="days with events, as a multiple of the last version's")
    lost_days: Bound = Field(Bound(), description="days by which the last event is earlier than before")
    timeless_growth: Bound = Field(Bound(), description="rise in the share of events without a time")
    quarantined_share: Bound = Field(Bound(), description="share of raw rows that are quarantined")
    quarantined_growth: Bound = Field(Bound(), description="rise in that share")
    new_reasons: Bound = Field(
        Bound(), description="reasons of quarantine that are new, each 0.1 % of the rows"
    )
    duplicate_growth: Bound = Field(Bound(), description="rise in the share of rows that are duplicates")
    suites: tuple[str, ...] = Field(
        (), description="further suites in great-expectations' own JSON, relative to `data`"
    )

    @field_validator("suites", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @property
    def bounds(self) -> dict[str, Bound]:
        """What was declared, by the expectation's name."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"suites"}}


NAMES = tuple(name for name in ExpectationParams.model_fields if name != "suites")
"""Every expectation."""
