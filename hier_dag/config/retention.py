"""How long things stay in a store, as declared."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RetentionParams(BaseModel):
    """What a clean-up leaves alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    keep: int = Field(
        3, ge=1, description="sets of each alias that stay, the one it points to included, for a roll-back"
    )
    days: float = Field(
        1.0, ge=0, le=36_500, description="how long what was used stays: for runs at work, and readers"
    )
