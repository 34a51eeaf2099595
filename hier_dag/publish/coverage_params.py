"""Declared bounds of the coverage contract."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_STRICT = ConfigDict(extra="forbid", frozen=True)

Share = Annotated[float, Field(ge=0, le=1)]
Norm = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _in_order(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    if bounds and bounds[0] > bounds[1]:
        raise ValueError(f"the lower bound {bounds[0]} is above the upper bound {bounds[1]}")
    return bounds


Learnt = dict[Literal["trained", "kg_inferred"], Share]
Bounds = Annotated[tuple[Norm, Norm] | None, AfterValidator(_in_order)]


class MinShares(BaseModel):
    """Least share of vectors by origin."""

    model_config = _STRICT
    users: Learnt = Field({}, description="of users, such as {trained: 0.5}")
    items: Learnt = Field({}, description="of items")


class NormBounds(BaseModel):
    """Lowest and highest norm of a vector; without bounds a norm must be finite and above 0."""

    model_config = _STRICT
    users: Bounds = Field(None, description="of users, such as [0.5, 20]")
    items: Bounds = Field(None, description="of items")


class CoverageParams(BaseModel):
    """What a published set must cover: `stages.publish.coverage`."""

    model_config = _STRICT
    max_fallback: float = Field(1.0, ge=0, le=1, description="largest share of users with origin `fallback`")
    min_share: MinShares = MinShares()
    norms: NormBounds = NormBounds()
