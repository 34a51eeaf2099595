"""What makes a new set the same space as the live one: `stages.publish.space`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hier_dag.parameters import Mistake, refuse


class SpaceParams(BaseModel):
    """Bounds of the space contract, and what it looks at.

    A residual is a share of the live vectors' norm (`comparison.py`): a model that is linear in them reads
    about its square as noise. docs/decisions.md has what the defaults were chosen by.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    same_residual: float = Field(
        0.1, ge=0, le=1, description="largest residual, as the vectors are, of a set in the same space"
    )
    aligned_residual: float = Field(
        0.4, ge=0, le=1, description="largest residual, after the best rotation, of a set that can be aligned"
    )
    min_overlap: float = Field(
        0.7, ge=0, le=1, description="least share of the probes' best items that an aligned set keeps"
    )
    probes: int = Field(512, ge=1, description="users whose best items are compared")
    sample: int = Field(50_000, ge=1, description="common users, and common items, that are compared at most")
    k: int = Field(10, ge=1, description="best items of each probe")
    align: bool = Field(True, description="whether a set that differs by a rotation is turned back")
    breaking: Literal["approve", "allow"] = Field(
        "approve", description="whether a breaking set waits for approval or goes live"
    )

    @model_validator(mode="after")
    def _same_is_stricter(self) -> SpaceParams:
        if self.same_residual > self.aligned_residual:
            refuse(
                [
                    Mistake(
                        "same_residual",
                        f"same_residual ({self.same_residual}) must not be above aligned_residual "
                        f"({self.aligned_residual})",
                        fix="lower same_residual: a set that needs no rotation is nearer than one that does",
                    )
                ]
            )
        return self
