"""What decides a sample platform, and the calendar that every sample shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

# The days are fixed, not counted back from now: the same parameters give the same bytes on any day.
DAYS = 180
END = datetime(2026, 7, 1, tzinfo=UTC)  # exclusive
END_SECOND = int(END.timestamp())
DAY_SECONDS = 86_400

# Events are drawn in blocks of this many, each from its own random stream: it is part of the result, and
# what bounds memory, so it is a constant.
BLOCK_EVENTS = 65_536


@dataclass(frozen=True, kw_only=True)
class SampleParams:
    """Size and difficulty of a sample platform.

    Attributes:
        users: users of the platform; nearly all of them occur in the logs.
        events: clean events over all logs, before duplicates and faults are added.
        items: items over all domains.
        noise: share of events that follow popularity alone, not the user's intents.
        dirty: share of rows that are added with a fault.
        seed: seeds everything.
    """

    users: int = 20_000
    events: int = 300_000
    items: int = 6_000
    noise: float = 0.25
    dirty: float = 0.01
    seed: int = 0

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        for name, least in (("users", 100), ("events", 1000), ("items", 100)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, is {getattr(self, name)}")
        if not 0 <= self.noise < 1:
            raise ValueError(f"noise must lie in [0, 1), is {self.noise}")
        if not 0 <= self.dirty <= 0.5:
            raise ValueError(f"dirty must lie in [0, 0.5], is {self.dirty}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, is {self.seed}")
