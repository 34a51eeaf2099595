"""What a published set was made of, as the registry has it, and files that tell of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import lexists
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from hier_dag.digest import digest_of
from hier_dag.errors import StoreError
from hier_dag.lineage.records import known
from hier_dag.lineage.trace import ANCHOR
from hier_dag.names import title_of
from hier_dag.registry import ArtifactRow, Registry
from hier_dag.store import Artifact, ArtifactStore


@dataclass(frozen=True)
class Made:
    """One artifact on the way.

    Attributes:
        row: its record.
        artifact: the artifact, its files of their sizes and unread; None where it is not in the store.
    """

    row: ArtifactRow
    artifact: Artifact | None

    def file(self, name: str) -> bytes | None:
        """Bytes of a file, as the manifest has them; None where there is no such file, or no artifact.

        Raises:
            StoreError: when they are others.
        """
        entry = next((f for f in self.row.manifest["files"] if f["path"] == name), None)
        if self.artifact is None or entry is None:
            return None
        path = self.artifact.file(name)
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise StoreError("the file does not match its digest", file=str(path), fix="run: hier run")
        return data

    def json(self, name: str) -> dict[str, Any]:
        """A file as JSON; empty where `file` gives none."""
        data = self.file(name)
        return {} if data is None else dict(json.loads(data))

    def table(self, name: str) -> pa.Table | None:
        """A file as a table; None where `file` gives none."""
        data = self.file(name)
        # Not pq.read_table: it loads pandas, which takes longer than all the rest.
        return None if data is None else pq.ParquetFile(pa.BufferReader(data)).read()

    @property
    def title(self) -> str:
        """How a person calls it: kg/graph, raw/events[food]."""
        return title_of(self.row.kind, self.row.partition)


def made_of(store: ArtifactStore, registry: Registry, digest: str) -> list[Made]:
    """A set and everything that it was made of, nearest first.

    Args:
        store: of the platform; what is not there any more is told from the registry alone.
        registry: of the platform.
        digest: of the set.

    Raises:
        StoreError: when the registry does not know one, or knows another manifest under its digest.
    """
    rows = registry.read(lambda s: list(_rows(s, digest)))
    return [Made(row, _at_hand(store, row)) for row in rows]


def only(made: Sequence[Made], kind: str) -> Made | None:
    """The artifact of a kind that there is one of on the way; None where there is none."""
    return next((one for one in made if one.row.kind == kind), None)


def _rows(s: Session, digest: str) -> Iterator[ArtifactRow]:
    # The set that began a space was turned to, not made of: it ends the chain where it is named.
    level, seen = [digest], {digest}
    while level:
        rows = known(s, level)
        above: dict[str, None] = {}
        for row in (rows[one] for one in level):
            if digest_of(row.manifest) != row.digest:
                raise StoreError(
                    f"the registry knows another manifest under the digest {row.digest[:12]}",
                    fix="run: hier audit verify (it tells more)",
                )
            yield row
            parents = row.manifest["parents"]
            above |= dict.fromkeys(p for role, p in parents.items() if role != ANCHOR and p not in seen)
        level = list(above)
        seen.update(level)


def _at_hand(store: ArtifactStore, row: ArtifactRow) -> Artifact | None:
    if not lexists(store.path_of(row.kind, row.digest)):
        return None
    return store.at_hand(row.kind, row.digest)
