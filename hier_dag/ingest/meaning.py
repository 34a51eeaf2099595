"""What the values of a source mean, and which of its rows are valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hier_dag.config.models import Domain
from hier_dag.config.sources import EventSource
from hier_dag.config.stages import IngestParams
from hier_dag.errors import ConfigError

DEFAULT_BEHAVIOR = "interact"


@dataclass(frozen=True)
class Meaning:
    """What a source's values mean.

    Attributes:
        source: the declaration of the source.
        mapping: canonical name to source column.
        time_unit: iso, s, ms or us.
        behavior: behaviour of every row where no column says.
        behaviors: weight of each allowed behaviour; None allows all, each at weight 1.
        params: limits of the value rules.
        max_events_per_user_day: a user's rows of a UTC day above which all of them are refused; None: any.
    """

    source: EventSource
    mapping: Mapping[str, str]
    time_unit: str
    behavior: str
    behaviors: Mapping[str, float] | None
    params: IngestParams
    max_events_per_user_day: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything that decides which rows are valid and what they become, the time of the build apart."""
        return {
            "mapping": dict(self.mapping),
            "time_unit": self.time_unit,
            "behavior": self.behavior,
            "behaviors": None if self.behaviors is None else dict(self.behaviors),
            "rules": self.params.rules(),
            "declared": self.source.model_dump(include={"patterns", "weight_range", "extra_columns"}),
            "max_events_per_user_day": self.max_events_per_user_day,
        }


def meaning(source: EventSource, domain: Domain, params: IngestParams, name: str) -> Meaning:
    """The meaning of one event source of the domain called `name`.

    Raises:
        ConfigError: when its rows would all have a behaviour that the domain does not allow.
    """
    mapping = {k: v for k, v in source.columns.model_dump().items() if v is not None}
    constant = source.behavior or DEFAULT_BEHAVIOR
    behaviors = domain.behaviors
    if behaviors is not None and source.columns.behavior is None and constant not in behaviors:
        raise ConfigError(
            f"its rows have behaviour {constant!r}, which is not among `behaviors` ({', '.join(behaviors)}).",
            domain=name,
            file=source.path or source.table,
            fix="declare `columns.behavior` or `behavior` of the source",
        )
    return Meaning(
        source, mapping, source.time_unit, constant, behaviors, params, domain.max_events_per_user_day
    )


def latest_time(params: IngestParams, as_of: datetime) -> datetime:
    """The latest event time that a build as of `as_of` accepts, UTC."""
    moment = as_of.replace(tzinfo=UTC) if as_of.tzinfo is None else as_of.astimezone(UTC)
    return moment + timedelta(days=params.max_future_days)
