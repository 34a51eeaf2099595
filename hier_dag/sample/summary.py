"""What a generated sample platform amounts to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class FileCount:
    """Rows of one log file.

    Attributes:
        domain: domain whose log it is.
        rows: all rows.
        clean: rows without a fault, all distinct.
        faults: rows by kind of fault; `duplicate` counts the surplus copies.
    """

    domain: str
    rows: int
    clean: int
    faults: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SampleSummary:
    """A generated sample platform.

    Attributes:
        folder: where it is.
        users: users that occur in some log.
        items: items over all domains.
        entities: entities.
        friendships: user–user edges.
        events: clean events by domain, 0 for the domain without a log.
        files: files of the whole folder.
        bytes: their size.
        dirty: faulty rows by kind, over all logs.
    """

    folder: Path
    users: int
    items: int
    entities: int
    friendships: int
    events: dict[str, int]
    files: int
    bytes: int
    dirty: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """The summary as a JSON-serialisable record."""
        return asdict(self) | {"folder": str(self.folder)}


def add_up(counts: list[dict[str, int]]) -> dict[str, int]:
    """Sums counts by key, keys in the order first seen."""
    total: dict[str, int] = {}
    for count in counts:
        for key, value in count.items():
            total[key] = total.get(key, 0) + value
    return total
