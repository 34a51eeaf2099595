"""The ledger of an ingest: where every row of every raw file went, to the row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hier_dag.conservation import Flow
from hier_dag.errors import StoreError


@dataclass(frozen=True)
class FileLedger:
    """One raw file's rows.

    Attributes:
        location: of the raw file, as `RawInput` has it.
        feeds: what it holds: events, catalogue, or a kind of link.
        domain: the domain it belongs to; None where all share it.
        sha256: digest of the raw file.
        bytes: size of the raw file.
        chain: digest of this file, all files before it, and what the values mean: equal chains, equal output.
        rows_in: rows of the raw file.
        rows_out: rows that became canonical.
        quarantined: rows kept aside, by reason code.
        deduplicated: rows equal to an earlier one, in this file or in one before it.
        holds_from: earliest time of a build that accepts the same rows (ISO 8601 UTC), null where any does.
        holds_until: time of a build from which on rows now in `future_time` become valid; null: none.
        corrected: rows that were read with the values of a recorded correction instead of the file's.
        columns: name and type of every column of the raw file, mapped or not.
        erased: rows of erased users; nothing of them is kept.
    """

    location: str
    feeds: str
    domain: str | None
    sha256: str
    bytes: int
    chain: str
    rows_in: int
    rows_out: int
    quarantined: Mapping[str, int] = field(default_factory=dict)
    deduplicated: int = 0
    holds_from: str | None = None
    holds_until: str | None = None
    corrected: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    erased: int = 0

    @property
    def rows_quarantined(self) -> int:
        """Rows kept aside for any reason."""
        return sum(self.quarantined.values())

    def flow(self) -> Flow:
        """The file's line of the conservation ledger."""
        lost = {**self.quarantined, "deduplicated": self.deduplicated, "erased": self.erased}
        return Flow(
            "raw → canonical",
            "rows",
            self.rows_in,
            {self.feeds: self.rows_out},
            lost,
            self.domain,
            self.location,
        )

    def check(self) -> FileLedger:
        """Returns itself where rows in = rows out + quarantined + deduplicated + erased.

        Raises:
            ContractError: where a row was lost or made up.
        """
        self.flow().check()
        return self


@dataclass(frozen=True)
class Ledger:
    """The rows of all files of one ingest.

    Attributes:
        domain: the domain; None for the shared links.
        files: one entry per raw file; events carry the index into this list as `file`.
    """

    domain: str | None
    files: tuple[FileLedger, ...]

    @property
    def rows_in(self) -> int:
        """Rows read."""
        return sum(f.rows_in for f in self.files)

    @property
    def rows_out(self) -> int:
        """Rows that became canonical."""
        return sum(f.rows_out for f in self.files)

    @property
    def deduplicated(self) -> int:
        """Rows equal to an earlier one."""
        return sum(f.deduplicated for f in self.files)

    @property
    def erased(self) -> int:
        """Rows of erased users."""
        return sum(f.erased for f in self.files)

    @property
    def quarantined(self) -> dict[str, int]:
        """Rows kept aside, by reason code in alphabetical order."""
        return total_by_reason(f.quarantined for f in self.files)

    @property
    def validity(self) -> dict[str, str]:
        """`holds_from` and `holds_until` (ISO 8601 UTC): builds between them accept the same rows."""
        since = [f.holds_from for f in self.files if f.holds_from is not None]
        until = [f.holds_until for f in self.files if f.holds_until is not None]
        return ({"holds_from": max(since)} if since else {}) | ({"holds_until": min(until)} if until else {})

    def as_json(self) -> dict[str, Any]:
        """The ledger as a JSON-serialisable record, totals included."""
        totals = {
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "quarantined": self.quarantined,
            "deduplicated": self.deduplicated,
            **({"erased": self.erased} if self.erased else {}),
        }
        flows = [f.flow().as_json() for f in self.files]
        return {
            "domain": self.domain,
            "totals": totals,
            "files": [_record(f) for f in self.files],
            "flows": flows,
        }

    def write(self, path: Path) -> None:
        """Writes the ledger as JSON with sorted keys: equal ledgers give equal bytes."""
        text = json.dumps(self.as_json(), indent=1, sort_keys=True, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Ledger:
        """The inverse of `as_json`."""
        return cls(value["domain"], tuple(FileLedger(**f) for f in value["files"]))

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """Reads what `write` wrote.

        Raises:
            StoreError: when the file is not a ledger.
        """
        try:
            return cls.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise StoreError(f"not a ledger: {e}", file=str(path), fix="ingest again") from e


def _record(entry: FileLedger) -> dict[str, Any]:
    """A file's line; without erased rows it is what it was before anybody could be erased."""
    return {k: v for k, v in asdict(entry).items() if k != "erased" or v}


def total_by_reason(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Sums counts by reason code."""
    total: dict[str, int] = {}
    for part in parts:
        for reason, count in part.items():
            total[reason] = total.get(reason, 0) + count
    return dict(sorted(total.items()))
