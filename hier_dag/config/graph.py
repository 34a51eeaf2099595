"""What a knowledge graph must be like beyond its integrity, which always blocks."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Level = Literal["warn", "block"]


class GraphParams(BaseModel):
    """Declared limits of the graph's contract."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    shapes: str | None = Field(None, description="file of further shapes, below the folder of domains.yaml")
    structure: Level = Field("warn", description="a graph beyond min_giant_share or max_hub_share, odd ids")
    min_giant_share: float = Field(0.0, ge=0, le=1, description="share of nodes in the largest component")
    max_hub_share: float = Field(
        0.2, gt=0, le=1, description="share of a relation's edges that may end at one node"
    )
    degree_drift: Level = Field("warn", description="degrees beyond max_degree_psi")
    max_degree_psi: float = Field(
        0.25, ge=0, description="PSI of log-degrees against the last accepted graph, beyond chance"
    )
