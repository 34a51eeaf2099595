"""Raw files that two artifacts of ingest read: which were added, removed or changed, and their rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hier_dag.conservation import LEDGER
from hier_dag.graph.reading import reading
from hier_dag.lineage.at_hand import file_at_hand
from hier_dag.registry import ArtifactRow
from hier_dag.store import ArtifactStore

ADDED, REMOVED, CHANGED = "added", "removed", "changed"


@dataclass(frozen=True)
class FileChange:
    """A raw file that differs.

    Attributes:
        domain: that it belongs to; None where all share it.
        location: of the file.
        change: `added`, `removed` or `changed`.
        sha256: of its bytes, before and after; None where it was not read.
        bytes: before and after.
        rows_in: rows of the file, before and after; None where it was not read, or is not stored any more.
        rows_out: rows that became canonical; the same.
    """

    domain: str | None
    location: str
    change: str
    sha256: tuple[str | None, str | None]
    bytes: tuple[int | None, int | None]
    rows_in: tuple[int | None, int | None]
    rows_out: tuple[int | None, int | None]


def files_changed(
    stores: Mapping[str, ArtifactStore], before: ArtifactRow | None, after: ArtifactRow | None
) -> list[FileChange]:
    """Raw files that one of two artifacts read and the other did not, or with other bytes, by location.

    Args:
        stores: by platform, where ledgers are read.
        before: record of the one; None where there is none.
        after: record of the other.
    """
    old, new = _inputs(before), _inputs(after)
    differ = [at for at in sorted({*old, *new}) if _sha(old.get(at)) != _sha(new.get(at))]
    if not differ:
        return []
    ledgers = (_ledger(stores, before), _ledger(stores, after))
    partition = next(row.partition for row in (after, before) if row is not None)
    found = []
    for at in differ:
        sides = (old.get(at), new.get(at))
        change = ADDED if sides[0] is None else REMOVED if sides[1] is None else CHANGED
        domain = next((side["domain"] for side in sides if side and side.get("domain")), partition)
        rows = [ledger.get((at, _sha(side))) for ledger, side in zip(ledgers, sides, strict=True)]
        found.append(
            FileChange(
                domain,
                at,
                change,
                (_sha(sides[0]), _sha(sides[1])),
                (_of(sides[0], "bytes"), _of(sides[1], "bytes")),
                (_of(rows[0], "rows_in"), _of(rows[1], "rows_in")),
                (_of(rows[0], "rows_out"), _of(rows[1], "rows_out")),
            )
        )
    return found


def _inputs(row: ArtifactRow | None) -> dict[str, dict[str, Any]]:
    return {} if row is None else {str(i["location"]): i for i in row.manifest["inputs"]}


def _ledger(
    stores: Mapping[str, ArtifactStore], row: ArtifactRow | None
) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Entries of an artifact's ledger by location and digest; none where no store has it."""
    file = None if row is None else file_at_hand(stores, row.kind, row.digest, LEDGER)
    if file is None:
        return {}
    with reading(file):
        return {(e["location"], e["sha256"]): e for e in json.loads(file.read_bytes())["files"]}


def _sha(side: Mapping[str, Any] | None) -> str | None:
    return None if side is None else str(side["sha256"])


def _of(side: Mapping[str, Any] | None, key: str) -> int | None:
    return None if side is None or side.get(key) is None else int(side[key])
