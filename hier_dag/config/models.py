"""The typed form of domains.yaml: domains and the platform as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hier_dag.config.audit import AuditParams
from hier_dag.config.cron import valid_cron
from hier_dag.config.expectations import ExpectationParams
from hier_dag.config.retention import RetentionParams
from hier_dag.config.sources import Catalogue, EventSource, Links, one_or_many
from hier_dag.config.splits import DefaultSplits, Split
from hier_dag.config.stages import ReasonLimits, Stages
from hier_dag.config.studies import Studies
from hier_dag.config.trainer import TrainerParams
from hier_dag.names import LONGEST_NAME, is_name

_STRICT = ConfigDict(extra="forbid", frozen=True)


class Domain(BaseModel):
    """One service of the platform."""

    model_config = _STRICT
    role: Literal["source", "target"]
    title: str | None = None
    contact: str | None = Field(None, description="who answers for the domain, for cards and bundles")
    sources: tuple[EventSource, ...] = ()
    catalogue: tuple[Catalogue, ...] = ()
    behaviors: dict[str, Annotated[float, Field(gt=0)]] | None = Field(
        None, description="allowed behaviours and their weights; others are quarantined"
    )
    split: Split | None = None
    audience: Literal["domain", "platform"] = Field(
        "domain", description="who gets a vector: the domain's own users, or every user of the platform"
    )
    refresh: str | None = Field(None, description="cron of the scheduled refresh, UTC")
    max_events_per_user_day: int | None = Field(
        None, ge=1, description="a user's rows of a UTC day above which all of them are quarantined"
    )
    max_quarantined: float | None = Field(
        None, ge=0, le=1, description="share of rows; above it ingest refuses"
    )
    max_quarantined_by_reason: ReasonLimits | None = Field(
        None, description="limits of single reasons, over those of stages.ingest"
    )
    expectations: ExpectationParams = Field(
        ExpectationParams(), description="bounds of its own, in place of those under `stages`"
    )

    _wrap = field_validator("sources", "catalogue", mode="before")(one_or_many)

    @field_validator("refresh")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        return valid_cron(value, "refresh")

    @model_validator(mode="after")
    def _something_to_publish(self) -> Domain:
        if self.role == "source" and not self.sources:
            raise ValueError("a source domain needs `sources`")
        if not self.sources and not self.catalogue:
            raise ValueError("a domain without `sources` needs a `catalogue`, or there is nothing to rank")
        if not self.sources and self.audience == "domain":
            raise ValueError("a domain without `sources` has no users of its own: set `audience: platform`")
        untimed = [s for s in self.sources if s.columns.event_time is None]
        if self.max_events_per_user_day is not None and untimed:
            raise ValueError("`max_events_per_user_day` needs `columns.event_time` in every source")
        return self


class PlatformConfig(BaseModel):
    """A whole domains.yaml."""

    model_config = _STRICT
    platform: str = Field(pattern=r"^[a-z0-9_]+$", max_length=LONGEST_NAME)
    data: str = Field(".", description="folder that relative paths start from")
    contact: str | None = Field(None, description="who answers for the platform, for cards and bundles")
    splits: DefaultSplits = DefaultSplits()
    domains: dict[str, Domain]
    links: Links = Links()
    stages: Stages = Stages()
    trainer: TrainerParams = TrainerParams()
    retention: RetentionParams = RetentionParams()
    studies: Studies = Studies()
    audit: AuditParams = AuditParams()

    @field_validator("domains")
    @classmethod
    def _keys(cls, value: dict[str, Domain]) -> dict[str, Domain]:
        for key in value:
            if not is_name(key):
                raise ValueError(
                    f"domain name {key[:200]!r} must match ^[a-z0-9_]+$ (it names folders and Dagster "
                    f"partitions) and be at most {LONGEST_NAME} characters long"
                )
        roles = {d.role for d in value.values()}
        if "source" not in roles:
            raise ValueError("at least one domain must have `role: source`")
        if "target" not in roles:
            raise ValueError("at least one domain must have `role: target`")
        return value

    @model_validator(mode="after")
    def _studies_fit(self) -> PlatformConfig:
        problem = self.studies.problem(len(self.source_names), self.target_names)
        if problem is not None:
            raise ValueError(problem)
        return self

    @property
    def source_names(self) -> tuple[str, ...]:
        """Source domains in declared order."""
        return tuple(k for k, d in self.domains.items() if d.role == "source")

    @property
    def target_names(self) -> tuple[str, ...]:
        """Target domains in declared order."""
        return tuple(k for k, d in self.domains.items() if d.role == "target")

    def split_of(self, domain: str) -> Split:
        """The split of a domain, its own or the default of its role."""
        d = self.domains[domain]
        return d.split or getattr(self.splits, d.role)

    def data_dir(self) -> Path:
        """`data` as a path (already absolute when loaded by `load_config`)."""
        return Path(self.data)

    def max_quarantined(self, domain: str) -> float:
        """Largest share of rows that a domain may lose to quarantine."""
        own = self.domains[domain].max_quarantined
        return self.stages.ingest.max_quarantined if own is None else own

    def max_quarantined_by_reason(self, domain: str) -> dict[str, float]:
        """Largest share of rows that a domain may lose for each reason that has a limit of its own."""
        return {
            **self.stages.ingest.max_quarantined_by_reason,
            **(self.domains[domain].max_quarantined_by_reason or {}),
        }
