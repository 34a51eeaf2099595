"""Brings registry and store together again: takes up notes, and says what else differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hier_dag.pipeline.outbox import Taken, take_up
from hier_dag.reconcile import presence, versions
from hier_dag.reconcile.presence import Row
from hier_dag.reconcile.versions import Difference
from hier_dag.registry import Registry
from hier_dag.registry.decisions import COLLECTED
from hier_dag.store import ArtifactStore


@dataclass(frozen=True)
class Reconciled:
    """What was done, and what is left.

    Attributes:
        taken: what became of each note.
        unrecorded: folders of artifacts on no record, which no note vouches for: left to `hier gc`.
        missing: rows whose artifact is nowhere, and was not removed on record.
        elsewhere: digests of sets that are at a copy alone.
        differences: version records that differ from the registry's rows.
        lost: rows of artifacts that were put on record as lost now.
    """

    taken: tuple[Taken, ...]
    unrecorded: tuple[Path, ...]
    missing: tuple[Row, ...]
    elsewhere: tuple[str, ...]
    differences: tuple[Difference, ...]
    lost: tuple[Row, ...] = ()

    @property
    def agree(self) -> bool:
        """Whether nothing is left that somebody must mend; what is on no record harms nobody."""
        return not self.missing and not self.differences

    def as_json(self) -> dict[str, Any]:
        """It all as a JSON-serialisable record."""
        content = asdict(self)
        return {"agree": self.agree, **content, "unrecorded": [str(path) for path in self.unrecorded]}


def reconcile(
    home: Path, store: ArtifactStore, registry: Registry, copies: Sequence[str] = (), *, lost: str = ""
) -> Reconciled:
    """Takes up the notes of ended processes, then compares store, registry and version records.

    Args:
        home: folder of the platform's state.
        store: its store.
        registry: its registry.
        copies: places of copies of sets and version records.
        lost: why artifacts that are nowhere are given up; each is put on record as removed then, unless an
            alias names it. Empty: nothing is given up.

    Raises:
        RegistryError: the registry cannot be used.
        StorageError: the store cannot be written.
    """
    taken = take_up(store, registry)
    there = presence.compare(store.root, registry, copies)
    named = {row.digest for row in registry.all_aliases(every_platform=True)}
    given_up = [row for row in there.missing if lost and row.digest not in named]
    for row in given_up:
        registry.decide(row.partition or "", COLLECTED, row.digest, why=f"lost: {lost}")
    return Reconciled(
        taken=tuple(taken),
        unrecorded=there.unrecorded,
        missing=tuple(row for row in there.missing if row not in given_up),
        elsewhere=there.elsewhere,
        differences=tuple(versions.compare(registry, home, copies).differences),
        lost=tuple(given_up),
    )
