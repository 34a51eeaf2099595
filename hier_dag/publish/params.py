"""How a published set's files are made: `stages.publish`'s index and precisions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hier_dag.parameters import Mistake, refuse

Precision = Literal["float16", "int8"]
Recall = Annotated[float, Field(ge=0, le=1)]


class IndexParams(BaseModel):
    """Which index the items get, how near to exact search it must be, and which precisions are added."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    exact_below: int = Field(50_000, ge=0, description="items; fewer are searched one by one (flat)")
    hnsw_below: int = Field(
        2_000_000, ge=0, description="items; fewer get an HNSW graph, more get inverted lists (IVF)"
    )
    recall_target: Recall = Field(0.97, description="recall@10 that the search effort is raised to")
    recall_target_50: Recall = Field(0.93, description="recall@50 that it is raised to as well")
    recall_floor: Recall = Field(0.95, description="recall@10; below it nothing is published")
    recall_floor_50: Recall = Field(0.90, description="recall@50; below it nothing is published")
    queries: int = Field(1_000, ge=1, description="users whose vectors are searched with to measure recall")
    precisions: Annotated[tuple[Precision, ...], Field(strict=False)] = Field(
        (), description="further files with smaller vectors"
    )

    @model_validator(mode="after")
    def _targets_above_floors(self) -> IndexParams:
        pairs = (("recall_target", "recall_floor"), ("recall_target_50", "recall_floor_50"))
        refuse(
            Mistake(target, f"{target} is below {floor}", fix=f"raise {target}, or lower {floor}")
            for target, floor in pairs
            if getattr(self, target) < getattr(self, floor)
        )
        return self

    @model_validator(mode="after")
    def _each_precision_once(self) -> IndexParams:
        twice = sorted({p for p in self.precisions if self.precisions.count(p) > 1})
        refuse(Mistake("precisions", f"{p} is given twice", fix="give it once") for p in twice)
        return self
