"""Where the quarantined rows of a domain lie: in its newest events, or in what a refused ingest kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from hier_dag.config import PlatformConfig
from hier_dag.errors import UsageError
from hier_dag.ingest.ledger import Ledger
from hier_dag.pipeline.stages import EVENTS, LINKS, REFUSED
from hier_dag.pipeline.workshop import QUARANTINE, Workshop

SHARED = "links"
"""What the quarantine of raw/links goes by among the domains."""


@dataclass(frozen=True)
class Held:
    """The newest ingest of a domain, accepted or refused.

    Attributes:
        name: the domain, or `links`.
        outcome: `accepted`, or `refused` where nothing of it was committed but these rows.
        digest: artifact that holds the rows.
        folder: its folder.
        ledger: where every row went.
    """

    name: str
    outcome: str
    digest: str
    folder: Path
    ledger: Ledger

    def rows(self, reason: str | None = None, file: str | None = None) -> pa.Table:
        """The quarantined rows, by file and row.

        Args:
            reason: only rows that break this rule, first or not.
            file: only rows of the raw files whose location ends so.

        Returns:
            location string, row int64, reason string, reasons list<string>, column string, raw string.

        Raises:
            UsageError: when no file is called so.
        """
        files = sorted((self.folder / QUARANTINE).glob("*.parquet"))
        locations = [f.location for f in self.ledger.files]
        numbers = _numbers(locations, file)
        if not files:
            return pa.schema(_SCHEMA).empty_table()
        table = ds.dataset(files).to_table(filter=pc.field("file").isin(numbers))
        if reason is not None:
            table = table.filter(_breaks(table["reasons"].combine_chunks(), reason))
        table = table.sort_by([("file", "ascending"), ("row", "ascending")])
        location = pa.array(locations, pa.string()).take(table["file"])
        return pa.table(
            {"location": location, **{n: table[n] for n, _ in _SCHEMA[1:]}}, schema=pa.schema(_SCHEMA)
        )


_SCHEMA = [
    ("location", pa.string()),
    ("row", pa.int64()),
    ("reason", pa.string()),
    ("reasons", pa.list_(pa.string())),
    ("column", pa.string()),
    ("raw", pa.string()),
]


def _numbers(locations: Sequence[str], file: str | None) -> list[int]:
    numbers = [i for i, name in enumerate(locations) if file is None or name.endswith(file)]
    if file is not None and not numbers:
        raise UsageError(f"no raw file is called {file!r}; there are: {', '.join(locations[:20])}.")
    return numbers


def _breaks(reasons: pa.ListArray, code: str) -> pa.Array:
    """Which rows have `code` among their reasons, bool [rows]."""
    parents = pc.list_parent_indices(reasons).filter(pc.equal(pc.list_flatten(reasons), code))
    return pc.is_in(pa.array(np.arange(len(reasons))), parents.cast(pa.int64()))


def names(config: PlatformConfig) -> list[str]:
    """What quarantines go by: the domains, then `links`."""
    return [*config.domains, SHARED]


def newest(config: PlatformConfig, workshop: Workshop, name: str) -> Held | None:
    """The newest ingest of a domain or of the links; None where there was none.

    Raises:
        UsageError: when the platform has no such domain.
        StoreError: when its artifact is damaged.
    """
    if name not in names(config):
        raise UsageError(f"no domain is called {name!r}.", fix=f"choose one of {', '.join(names(config))}")
    kind, partition = (LINKS, None) if name == SHARED else (EVENTS, name)
    registry = workshop.registry
    there = [
        (registry.asked_at(digest), outcome, k, digest)
        for outcome, k in (("accepted", kind), ("refused", REFUSED))
        if (digest := registry.latest(k, partition)) is not None
    ]
    if not there:
        return None
    _, outcome, kind, digest = max(there)
    folder = workshop.open(kind, digest).path
    return Held(name, outcome, digest, folder, Ledger.read(folder / "ledger.json"))


def summary(held: Held) -> list[dict[str, Any]]:
    """Quarantined rows of every raw file by first reason, JSON-serialisable."""
    return [
        {
            "domain": held.name,
            "outcome": held.outcome,
            "file": f.location,
            "reason": reason,
            "rows": n,
            "rows_in": f.rows_in,
            "share": n / f.rows_in if f.rows_in else 0.0,
            "artifact": held.digest,
        }
        for f in held.ledger.files
        for reason, n in sorted(f.quarantined.items(), key=lambda x: (-x[1], x[0]))
    ]
