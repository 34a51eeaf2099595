"""Rules that a source may declare for its own rows: what its ids look like, which weights there are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_STRICT = ConfigDict(extra="forbid", frozen=True)


class Patterns(BaseModel):
    """Regular expressions (RE2) that ids must match somewhere; ^ and $ anchor them."""

    model_config = _STRICT
    user_id: str | None = None
    item_id: str | None = None

    @field_validator("user_id", "item_id")
    @classmethod
    def _re2(cls, value: str | None) -> str | None:
        if value == "":
            raise ValueError("an empty pattern matches every id; write one, or leave the key out")
        if value is not None:
            problem = _regex_problem(value)
            if problem is not None:
                raise ValueError(f"{value!r} is no regular expression in RE2 syntax: {problem}")
        return value

    def declared(self) -> dict[str, str]:
        """The patterns that are declared, by canonical column."""
        return {k: v for k, v in self.model_dump().items() if v is not None}


class WeightRange(BaseModel):
    """Values that the weight column may have, both ends included: a change of unit falls outside."""

    model_config = _STRICT
    min: float | None = Field(None, allow_inf_nan=False)
    max: float | None = Field(None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _some_range(self) -> WeightRange:
        if self.min is None and self.max is None:
            raise ValueError("declare `min`, `max` or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"`min` {self.min:g} is above `max` {self.max:g}: no weight would be valid")
        return self


def _regex_problem(pattern: str) -> str | None:
    # pyarrow brings the same library as the engine. Imported here: reading a declaration needs it only now.
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as e:
        return str(e).removeprefix("Invalid regular expression: ")
    return None
