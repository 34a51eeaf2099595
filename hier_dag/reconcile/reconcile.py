"""Brings registry and store together again: takes up notes, and says what else differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hier_dag.pipeline.take_up import STAYS, Taken, take_up
from hier_dag.reconcile import presence, versions
from hier_dag.reconcile.presence import Row
from hier_dag.reconcile.versions import Difference
from hier_dag.registry import Registry
from hier_dag.registry.decisions import COLLECTED
from hier_dag.store import ArtifactStore
from hier_dag.store.failures import StorageError


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
        misplaced: folders whose digest is on record under another kind.
        unread: folders and notes that cannot be read; rows of what may lie there are not told as missing.
    """

    taken: tuple[Taken, ...]
    unrecorded: tuple[Path, ...]
    missing: tuple[Row, ...]
    elsewhere: tuple[str, ...]
    differences: tuple[Difference, ...]
    lost: tuple[Row, ...] = ()
    misplaced: tuple[Path, ...] = ()
    unread: tuple[StorageError, ...] = ()

    @property
    def agree(self) -> bool:
        """Whether nothing is left that somebody must mend; what is on no record harms nobody."""
        stays = any(t.outcome == STAYS for t in self.taken)
        return not (self.missing or self.differences or self.misplaced or self.unread or stays)

    def as_json(self) -> dict[str, Any]:
        """It all as a JSON-serialisable record."""
        return {
            "agree": self.agree,
            **asdict(replace(self, unread=())),
            "unrecorded": [str(path) for path in self.unrecorded],
            "misplaced": [str(path) for path in self.misplaced],
            "unread": [error.as_dict() for error in self.unread],
        }


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
        StorageError: the folder of the notes cannot be read.
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
        misplaced=there.misplaced,
        unread=there.unread,
    )
