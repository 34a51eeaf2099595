"""Parameters of each stage: `stages`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from hier_dag.config.collapse import CollapseBounds
from hier_dag.config.expectations import ExpectationParams
from hier_dag.config.graph import GraphParams
from hier_dag.ingest.reasons import REASONS
from hier_dag.parameters import Mistake, refuse, wrong_words
from hier_dag.publish.coverage_params import CoverageParams
from hier_dag.publish.params import IndexParams
from hier_dag.publish.sinks.params import SinkParams
from hier_dag.publish.space.params import SpaceParams
from hier_dag.train.params import PretrainParams
from hier_dag.transfer.params import FAST_BASELINES, TRAINED_BASELINES, TransferParams

_STRICT = ConfigDict(extra="forbid", frozen=True)
Share = Annotated[float, Field(ge=0, le=1)]


def _known_reasons(value: dict[str, float]) -> dict[str, float]:
    refuse(wrong_words("max_quarantined_by_reason", value, tuple(REASONS)))
    return value


ReasonLimits = Annotated[dict[str, Share], AfterValidator(_known_reasons)]


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
    collapse: CollapseBounds = CollapseBounds()
    transfer: Literal["block", "warn"] = Field(
        "block",
        description="a target where HIER is clearly below the best of the declared baselines: it goes live "
        "with a waiver alone",
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

    # A place may hold a password: no message of pydantic repeats what was given.
    model_config = _STRICT | ConfigDict(hide_input_in_errors=True)
    coverage: CoverageParams = CoverageParams()
    index: IndexParams = IndexParams()
    space: SpaceParams = SpaceParams()
    copies: tuple[str, ...] = Field(
        (),
        description="absolute folders or URLs (fsspec) that hold copies of what is live, laid out like "
        "the platform's folder in HIER_HOME",
    )
    sinks: tuple[SinkParams, ...] = Field((), description="databases that serve what is live")

    @field_validator("copies")
    @classmethod
    def _places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        refuse(
            Mistake(
                "copies", f"{place!r} is neither an absolute folder nor a URL", fix="such as s3://bucket/x"
            )
            for place in value
            if not (place.startswith("/") or "://" in place)
        )
        refuse(
            Mistake(
                "copies",
                f"place {n} holds a user, a password or options",
                fix="leave them out: keys come from the environment alone",
            )
            for n, place in enumerate(value, 1)
            if not place.startswith("/") and _says_more_than_where(place)
        )
        return value

    def of_the_files(self) -> dict[str, Any]:
        """What decides which bytes are published, or whether; not where to, nor who is asked."""
        return self.model_dump(mode="json", exclude={"copies": True, "sinks": True, "space": {"breaking"}})


def _says_more_than_where(url: str) -> bool:
    """Whether a URL, or one that it is chained to, has user information or a query."""
    parts = url.split("::")
    return "?" in url or any("@" in part.partition("://")[2].partition("/")[0] for part in parts)


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
