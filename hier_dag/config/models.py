"""The typed form of domains.yaml."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from croniter import CroniterBadDateError, croniter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from hier_dag.config.expectations import ExpectationParams
from hier_dag.config.graph import GraphParams
from hier_dag.config.row_rules import Patterns, WeightRange
from hier_dag.config.splits import DefaultSplits, GlobalTimeSplit, PerUserOrderSplit, SeededHashSplit, Split
from hier_dag.config.studies import Studies
from hier_dag.ingest.reasons import REASONS
from hier_dag.parameters import Mistake, refuse, wrong_words
from hier_dag.store.names import LONGEST_NAME, is_name
from hier_dag.train.params import PretrainParams
from hier_dag.transfer.params import FAST_BASELINES, TRAINED_BASELINES, TransferParams

__all__ = [
    "Catalogue",
    "Columns",
    "Domain",
    "EventSource",
    "GlobalTimeSplit",
    "IngestParams",
    "Links",
    "PerUserOrderSplit",
    "PlatformConfig",
    "SeededHashSplit",
    "Split",
    "Stages",
    "Studies",
    "TableSource",
]

_STRICT = ConfigDict(extra="forbid", frozen=True)
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")

Share = Annotated[float, Field(ge=0, le=1)]


def _known_reasons(value: dict[str, float]) -> dict[str, float]:
    refuse(wrong_words("max_quarantined_by_reason", value, tuple(REASONS)))
    return value


ReasonLimits = Annotated[dict[str, Share], AfterValidator(_known_reasons)]
Format = Literal["parquet", "csv", "jsonl"]
_SUFFIXES: dict[str, Format] = {
    ".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl",
}  # fmt: skip


def climbs(path: str) -> bool:
    """Whether a relative path has a `..`; absolute ones and those from `~` say themselves where they lead."""
    return not path.startswith(("/", "~")) and ".." in path.replace("\\", "/").split("/")


class TableSource(BaseModel):
    """Where a raw table comes from: files by path or glob, or one SQL table by SQLAlchemy URL."""

    model_config = _STRICT
    path: str | None = Field(None, description="file or glob, relative to `data`; .gz is read as it is")
    format: Format | None = Field(None, description="parquet, csv or jsonl; by default from the suffix")
    sql: str | None = Field(None, description="SQLAlchemy URL; secrets as ${VAR}")
    table: str | None = Field(None, description="table of the SQL source, `name` or `schema.name`")
    extra_columns: Literal["allow", "refuse"] = Field(
        "allow", description="what happens when the source has columns that the declaration does not name"
    )

    @model_validator(mode="after")
    def _one_place(self) -> TableSource:
        if (self.path is None) == (self.sql is None):
            raise ValueError("declare either `path` or `sql`, not both and not neither")
        if self.sql is not None and self.table is None:
            raise ValueError("an `sql` source needs `table`")
        if self.path is not None and self.table is not None:
            raise ValueError("`table` belongs to `sql`, not to `path`")
        if self.table is not None and not _TABLE_NAME.fullmatch(self.table):
            raise ValueError(
                f"`table` must be `name` or `schema.name` in plain identifiers, not {self.table!r}"
            )
        if self.path is not None and climbs(self.path):
            raise ValueError(
                f"`path` {self.path!r} leaves `data` by `..`: write the absolute path if it is meant"
            )
        if self.path is not None and self.format is None:
            self.file_format(self.path)
        return self

    def file_format(self, path: str) -> Format:
        """The format of one file: as declared, else from its suffix (`.gz` stripped).

        Raises:
            ValueError: when neither says.
        """
        if self.format is not None:
            return self.format
        suffix = Path(path.removesuffix(".gz")).suffix.lower()
        if suffix not in _SUFFIXES:
            raise ValueError(f"no format declared and none known for {path!r}; use parquet, csv or jsonl")
        return _SUFFIXES[suffix]


class Columns(BaseModel):
    """Which source column holds which canonical one."""

    model_config = _STRICT
    user_id: str = "user_id"
    item_id: str = "item_id"
    behavior: str | None = None
    weight: str | None = Field(None, description="multiplies the behaviour's weight; must be positive")
    event_time: str | None = None
    position: str | None = Field(None, description="integer order of the event in the user's history")


class EventSource(TableSource):
    """One source of a domain's events."""

    columns: Columns = Columns()
    behavior: str | None = Field(None, description="behaviour of every row where no column says")
    time_unit: Literal["iso", "s", "ms", "us"] = Field(
        "iso", description="how event_time is written: ISO 8601 text or a timestamp type, or an epoch count"
    )
    patterns: Patterns = Field(Patterns(), description="what ids look like; others are quarantined")
    weight_range: WeightRange | None = Field(None, description="values that the weight column may have")

    @model_validator(mode="after")
    def _one_behavior(self) -> EventSource:
        if self.behavior is not None and self.columns.behavior is not None:
            raise ValueError("declare `behavior` or `columns.behavior`, not both")
        if self.weight_range is not None and self.columns.weight is None:
            raise ValueError("`weight_range` needs `columns.weight`")
        return self


class Catalogue(TableSource):
    """Items that a domain offers, whether or not anyone has acted on them."""

    item_id: str = "item_id"


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, dict) else value


class Domain(BaseModel):
    """One service of the platform."""

    model_config = _STRICT
    role: Literal["source", "target"]
    title: str | None = None
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

    _wrap = field_validator("sources", "catalogue", mode="before")(_one_or_many)

    @field_validator("refresh")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        if value is not None and (len(value.split()) != 5 or not croniter.is_valid(value)):
            raise ValueError(f'refresh must be a five-field cron such as "0 3 * * *", not {value!r}')
        if value is not None:
            try:
                croniter(value).get_next()
            except CroniterBadDateError:
                raise ValueError(f"refresh {value!r} names a day that never comes") from None
        return value

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


class ItemEntity(TableSource):
    """Item-entity links."""

    item_id: str = "item_id"
    entity_id: str = "entity_id"
    relation: str = "has_entity"


class EntityEntity(TableSource):
    """Entity-entity triples."""

    head: str = "head"
    tail: str = "tail"
    relation_column: str | None = None
    relation: str = "related_to"


class UserUser(TableSource):
    """User-user edges, undirected."""

    user_id: str = "user_id"
    other_id: str = "other_id"
    relation: str = "knows"


class Names(TableSource):
    """Display names of entities or items."""

    id: str
    name: str = "name"


class Links(BaseModel):
    """What the domains share: links, triples, social edges and names."""

    model_config = _STRICT
    item_entity: tuple[ItemEntity, ...] = ()
    entity_entity: tuple[EntityEntity, ...] = ()
    user_user: tuple[UserUser, ...] = ()
    entity_names: tuple[Names, ...] = ()
    item_names: tuple[Names, ...] = ()

    _wrap = field_validator("*", mode="before")(_one_or_many)


class IngestParams(BaseModel):
    """What makes a raw row valid."""

    model_config = _STRICT
    max_quarantined: float = Field(0.05, ge=0, le=1, description="share of rows; above it a domain refuses")
    max_quarantined_by_reason: ReasonLimits = Field(
        {}, description="share of rows that single reasons may take; 0 refuses at the first row"
    )
    max_id_length: int = Field(256, ge=1, description="characters")
    min_time: str = Field("2000-01-01", description="earlier times are taken for defaults and quarantined")
    max_future_days: float = Field(1.0, ge=0, description="how far a clock may run ahead of the build")
    max_decompressed_bytes: int = Field(
        1 << 36, ge=1, description="bytes that one compressed file may become"
    )
    max_decompressed_ratio: float = Field(
        200.0, gt=1, allow_inf_nan=False, description="times its own size, looked at beyond 64 MiB"
    )

    def rules(self) -> dict[str, Any]:
        """What decides which rows are valid; limits that only refuse a whole file or domain are left out."""
        names = set(type(self).model_fields)
        return self.model_dump(
            exclude={n for n in names if n.startswith(("max_quarantined", "max_decompressed"))}
        )

    @field_validator("min_time", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        # YAML reads an unquoted date as one; requests are JSON, so that text is kept.
        return value.isoformat() if isinstance(value, date) else value

    @field_validator("min_time")
    @classmethod
    def _iso_date(cls, value: str) -> str:
        try:
            moment = datetime.fromisoformat(value)
            moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValueError(f"min_time must be an ISO 8601 date such as 2000-01-01, not {value!r}") from None
        return value


class GateParams(BaseModel):
    """What happens when an encoder does not earn its place."""

    model_config = _STRICT
    encoder: Literal["block", "warn"] = Field(
        "block", description="an encoder that is not above the untrained profile on source validation"
    )
    transfer: Literal["block", "warn"] = Field(
        "warn", description="a target where HIER is clearly below the best of the declared baselines"
    )
    transfer_baselines: tuple[str, ...] | None = Field(
        None, description="baselines that the transfer gate compares with; by default all that are scored"
    )

    @model_validator(mode="after")
    def _known_baselines(self) -> GateParams:
        given = self.transfer_baselines or ()
        refuse(wrong_words("transfer_baselines", given, (*FAST_BASELINES, *TRAINED_BASELINES)))
        return self


class PublishParams(BaseModel):
    """What a published set must satisfy."""

    model_config = _STRICT
    max_fallback: float = Field(1.0, ge=0, le=1, description="largest share of users with origin `fallback`")


class Stages(BaseModel):
    """Parameters of each stage."""

    model_config = _STRICT
    ingest: IngestParams = IngestParams()
    expectations: ExpectationParams = ExpectationParams()
    graph: GraphParams = GraphParams()
    pretrain: PretrainParams = PretrainParams()
    transfer: TransferParams = TransferParams()
    gates: GateParams = GateParams()
    publish: PublishParams = PublishParams()

    @model_validator(mode="after")
    def _gate_compares_with_what_is_scored(self) -> Stages:
        given = set(self.gates.transfer_baselines or ())
        unscored = given & set(TRAINED_BASELINES) - set(self.transfer.trained_baselines)
        refuse(
            Mistake(
                "gates.transfer_baselines",
                f"the trained baseline {name} is not scored",
                fix=f"add {name} to stages.transfer.trained_baselines, or leave it out here",
            )
            for name in sorted(unscored)
        )
        return self


class PlatformConfig(BaseModel):
    """A whole domains.yaml."""

    model_config = _STRICT
    platform: str = Field(pattern=r"^[a-z0-9_]+$", max_length=LONGEST_NAME)
    data: str = Field(".", description="folder that relative paths start from")
    splits: DefaultSplits = DefaultSplits()
    domains: dict[str, Domain]
    links: Links = Links()
    stages: Stages = Stages()
    studies: Studies = Studies()

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
