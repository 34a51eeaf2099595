"""When a platform audits itself."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hier_dag.config.cron import valid_cron


class AuditParams(BaseModel):
    """The audit of a platform, which only reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    schedule: str | None = Field(None, description="cron of the verification and the lineage report, UTC")

    @field_validator("schedule")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        return valid_cron(value, "audit.schedule")
