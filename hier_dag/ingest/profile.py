"""Profile of a domain's events: what its statistical expectations are asked of.

It is a pure function of the canonical events and the ledger, made of counts alone (sums of floats would
depend on the number of threads), and is stored with them: the next version is compared with it without
reading old rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hier_dag.errors import StoreError
from hier_dag.ingest.sketch import Sketch

PROFILE = "profile.json"
_SKETCHES = ("user_ids", "item_ids")


def _nobody() -> Sketch:
    return Sketch(0, np.zeros(0, np.uint64))


@dataclass(frozen=True)
class TimeProfile:
    """When the events took place, UTC.

    Attributes:
        first, last: ISO 8601; None where no event has a time.
        timeless: rows without a time.
        days: rows by day (ISO date), days without rows left out.
        longest_gap_days: longest run of days without an event between the first day and the last.
        hours: rows by hour of the day [24].
    """

    first: str | None = None
    last: str | None = None
    timeless: int = 0
    days: Mapping[str, int] = field(default_factory=dict)
    longest_gap_days: int = 0
    hours: tuple[int, ...] = (0,) * 24


@dataclass(frozen=True)
class EventProfile:
    """Counts of one domain's events.

    Attributes:
        rows: events.
        behaviors: events by behaviour; what lies beyond the most frequent ones is under `…`.
        user_activity: users by ⌊log2⌋ of their events, from 1 on.
        item_activity: items by ⌊log2⌋ of their events.
        weights: events by ⌊log2⌋ of their weight, as text.
        time: when.
        top_user_rows: events of the most active user.
        top_user_day: most events of one user in one day, among the most active users.
        users_as_items: user ids, plain numbers apart, that are item ids too.
        user_ids, item_ids: sketches of the ids; their sizes are the numbers of users and items.
        rows_in, quarantined, deduplicated: of the ledger; quarantined by reason.
    """

    rows: int = 0
    behaviors: Mapping[str, int] = field(default_factory=dict)
    user_activity: tuple[int, ...] = ()
    item_activity: tuple[int, ...] = ()
    weights: Mapping[str, int] = field(default_factory=dict)
    time: TimeProfile = TimeProfile()
    top_user_rows: int = 0
    top_user_day: int = 0
    users_as_items: int = 0
    user_ids: Sketch = field(default_factory=_nobody)
    item_ids: Sketch = field(default_factory=_nobody)
    rows_in: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    deduplicated: int = 0

    @property
    def users(self) -> int:
        """Number of users."""
        return self.user_ids.ids

    @property
    def items(self) -> int:
        """Number of items."""
        return self.item_ids.ids

    def as_json(self) -> dict[str, Any]:
        """The profile as a JSON-serialisable record."""
        return asdict(self) | {name: getattr(self, name).as_json() for name in _SKETCHES}

    def write(self, folder: Path) -> None:
        """Writes `profile.json` with sorted keys: equal profiles give equal bytes."""
        text = json.dumps(self.as_json(), indent=1, sort_keys=True, ensure_ascii=False)
        (folder / PROFILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> EventProfile:
        """Reads what `write` wrote.

        Raises:
            StoreError: when the file is not a profile.
        """
        path = folder / PROFILE
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            value |= {name: Sketch.from_json(value[name]) for name in _SKETCHES}
            value["time"] = TimeProfile(**value["time"] | {"hours": tuple(value["time"]["hours"])})
            value |= {name: tuple(value[name]) for name in ("user_activity", "item_activity")}
            return cls(**value)
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise StoreError(f"not a profile: {e}", file=str(path), fix="ingest again") from e
