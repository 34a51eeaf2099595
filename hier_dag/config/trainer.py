"""Where training runs: `trainer`. Nothing here decides what comes out, so that no request holds it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainerParams(BaseModel):
    """How pre-training and transfer are run."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    mode: Literal["subprocess", "inline", "torchrun"] = Field(
        "subprocess",
        description="in a worker process of its own, in the step's process, or pre-training in several ranks",
    )
    processes: int = Field(1, ge=1, description="ranks of `torchrun` on this machine, one a GPU or CPU part")
    checkpoint_seconds: float = Field(
        60.0, ge=0, allow_inf_nan=False, description="between checkpoints of pre-training; 0: at every step"
    )
    keep_checkpoints: int = Field(
        2, ge=1, description="newest checkpoints that stay until the encoder is committed, the best besides"
    )
