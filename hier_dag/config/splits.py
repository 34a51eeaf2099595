"""The three ways to divide a domain's interactions into training, validation and test."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_STRICT = ConfigDict(extra="forbid", frozen=True)


class GlobalTimeSplit(BaseModel):
    """Everything before one instant trains, everything from another on tests, the same for every user."""

    model_config = _STRICT
    kind: Literal["global_time"]
    validation_from: datetime
    test_from: datetime

    @field_validator("validation_from", "test_from", mode="before")
    @classmethod
    def _dates_are_midnight(cls, value: object) -> object:
        if isinstance(value, date) and not isinstance(value, datetime):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        return value

    @field_validator("validation_from", "test_from")
    @classmethod
    def _naive_is_utc(cls, value: datetime) -> datetime:
        try:
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{value.isoformat()} is no instant between the years 1 and 9999 UTC") from None

    @model_validator(mode="after")
    def _in_order(self) -> GlobalTimeSplit:
        if self.validation_from > self.test_from:
            raise ValueError("validation_from must not be later than test_from")
        return self


class _Shares(BaseModel):
    model_config = _STRICT
    test: float = Field(0.5, ge=0, lt=1, description="share of each user's interactions that tests")
    validation: float = Field(0.2, ge=0, lt=1, description="share of the rest that validates")


class PerUserOrderSplit(_Shares):
    """The last of each user's interactions (by time, else by position) test, those before validate."""

    kind: Literal["per_user_order"]


class SeededHashSplit(_Shares):
    """As per user order, in an order drawn from a hash of seed, user and item."""

    kind: Literal["seeded_hash"]
    seed: int = 0


Split = Annotated[GlobalTimeSplit | PerUserOrderSplit | SeededHashSplit, Field(discriminator="kind")]


class DefaultSplits(BaseModel):
    """The splits of domains that declare none: sources keep nothing back for test."""

    model_config = _STRICT
    source: Split = SeededHashSplit(kind="seeded_hash", test=0.0, validation=0.1)
    target: Split = SeededHashSplit(kind="seeded_hash")
