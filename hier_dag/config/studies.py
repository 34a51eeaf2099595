"""What studies sweep and what they may spend, as declared under `studies` in domains.yaml."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hier_dag.transfer.params import TransferParams

_STRICT = ConfigDict(extra="forbid", frozen=True)
_LABEL = re.compile(r"^[a-z0-9_]+$")
ZERO_SHOT = "0"

Counts = tuple[Annotated[int, Field(ge=1)], ...]
Share = Annotated[float, Field(gt=0, lt=1)]


class SensitivitySweeps(BaseModel):
    """Values of each parameter of `stages.pretrain` besides the declared one; [] leaves a parameter out."""

    model_config = _STRICT
    exemplars: Counts | None = Field(None, description="K; by default ¼, ½, 2 and 4 times the declared one")
    intents: Counts | None = Field(None, description="P; by default ¼, ½, 2 and 4 times the declared one")
    dim: Counts | None = Field(None, description="d; by default half and twice the declared one")
    layers: Counts | None = Field(None, description="by default 1, 2 and 3")


class ScalingSweeps(BaseModel):
    """How much of the platform is left."""

    model_config = _STRICT
    links: tuple[Share, ...] = Field(
        (0.25, 0.5, 0.75), description="shares of item-entity links and triples kept, besides all of them"
    )
    sources: Counts | None = Field(
        None, description="numbers of source domains, in declared order; by default every number"
    )


class Studies(BaseModel):
    """Budget of every study, and what each sweeps."""

    model_config = _STRICT
    seeds: tuple[int, ...] = Field((0,), min_length=1, description="a cell is trained once a seed")
    shots: tuple[str, ...] = Field(
        (ZERO_SHOT, "3"), min_length=1, description="settings scored; 0: zero-shot"
    )
    targets: tuple[str, ...] | None = Field(None, min_length=1, description="targets scored; default: all")
    sensitivity: SensitivitySweeps = SensitivitySweeps()
    scaling: ScalingSweeps = ScalingSweeps()
    platforms: dict[str, str] = Field(
        {}, description="domains.yaml of other platforms by label, for the study that shows them side by side"
    )

    @field_validator("shots")
    @classmethod
    def _settings(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        TransferParams(shots=tuple(s for s in value if s != ZERO_SHOT))
        return value

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) != len(value) or min(value) < 0:
            raise ValueError("seeds must be different whole numbers from 0 on")
        return value

    @field_validator("platforms")
    @classmethod
    def _labels(cls, value: dict[str, str]) -> dict[str, str]:
        for label in value:
            if not _LABEL.match(label):
                raise ValueError(f"label {label!r} must match ^[a-z0-9_]+$ (it names a Dagster partition)")
        return value

    def problem(self, sources: int, targets: tuple[str, ...]) -> str | None:
        """What does not fit a platform with so many sources and these targets, if anything."""
        unknown = sorted(set(self.targets or ()) - set(targets))
        if unknown:
            return f"studies.targets names no target: {', '.join(unknown)}; targets are {', '.join(targets)}"
        too_many = [n for n in self.scaling.sources or () if n > sources]
        if too_many:
            return f"studies.scaling.sources asks for {max(too_many)} sources of {sources}"
        return None
