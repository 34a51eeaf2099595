"""Puts on record what ended processes committed and could not record; one bad note keeps no other waiting."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import select

from hier_dag.errors import StoreError
from hier_dag.pipeline.note import Note
from hier_dag.pipeline.outbox import digest_in, notes_in, refuse_odd
from hier_dag.registry import CheckRow, Registry
from hier_dag.registry.tables import RequestRecord
from hier_dag.store import ArtifactStore
from hier_dag.store.failures import StorageError, reading, told
from hier_dag.store.staging import turn

RECONCILED = "reconciled"
"""Check that says that a row was put on record later, and by what note."""

ADOPTED, ON_RECORD, NOTHING, DAMAGED, HELD = "adopted", "on record", "nothing committed", "damaged", "at work"
STAYS = "not taken up"


@dataclass(frozen=True)
class Taken:
    """What became of a note.

    Attributes:
        kind: of the artifact; empty where the note was not read.
        digest: its digest.
        outcome: `adopted`; `on record` already; `nothing committed`; `damaged`, the artifact that is;
            `at work`, where a living process holds the note; or `not taken up`, so that it stays.
        why: what keeps it from being taken up, with the file and a fix; empty elsewhere.
    """

    kind: str
    digest: str
    outcome: str
    why: str = ""


def take_up(store: ArtifactStore, registry: Registry) -> list[Taken]:
    """Puts artifacts on record that a note vouches for, every byte checked; the notes are gone then.

    A note that cannot be taken up, or whose artifact cannot be read, stays and is told.

    Args:
        store: where notes and artifacts lie.
        registry: where they belong.

    Raises:
        RegistryError: the registry cannot be used; notes that were not taken up stay.
        StorageError: the folder of the notes cannot be read.
    """
    return [taken for path in notes_in(store.root) if (taken := _taken(store, registry, path)) is not None]


def _taken(store: ArtifactStore, registry: Registry, path: Path) -> Taken | None:
    try:
        with reading(path), _held(store.root, path) as file:
            if file is None:
                return Taken("", digest_in(path), HELD) if path.exists() else None
            note = Note.of_bytes(file.read())
            outcome = NOTHING if note is None else _settled(store, registry, note)
            with told(path):
                path.unlink(missing_ok=True)
            return Taken("" if note is None else note.kind, digest_in(path), outcome)
    except StorageError as error:
        return Taken("", digest_in(path), STAYS, str(error))


@contextmanager
def _held(root: Path, path: Path) -> Iterator[IO[bytes] | None]:
    """A note, locked; None where somebody else has it, or took it away."""
    try:
        with turn(root, alone=True):
            refuse_odd(path)
            file = path.open("r+b")  # where it could not be removed afterwards, nothing is taken up
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                raise
    except (BlockingIOError, FileNotFoundError):
        yield None
        return
    with file:
        yield file if path.exists() else None


def _settled(store: ArtifactStore, registry: Registry, note: Note) -> str:
    if not store.has(note.kind, note.digest):
        return NOTHING
    try:
        artifact = store.open(note.kind, note.digest)
    except StorageError:
        raise
    except StoreError:
        return DAMAGED  # the next run sets it aside and makes it again
    if _on_record(registry, note):
        return ON_RECORD
    facts = {"noted": note.at, "who": note.who, "machine": note.machine}
    checks = [*note.checks, CheckRow(RECONCILED, True, facts)]
    registry.record(artifact, checks, run_id=note.run_id, seconds=note.seconds, commit=note.commit)
    return ADOPTED


def _on_record(registry: Registry, note: Note) -> bool:
    query = select(RequestRecord.event).where(
        RequestRecord.digest == note.digest,
        RequestRecord.run_id == note.run_id,
        RequestRecord.platform == registry.platform,
    )
    return registry.read(lambda s: s.scalar(query.limit(1))) is not None
