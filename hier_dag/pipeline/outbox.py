"""Notes of artifacts on their way into the registry: what must be put on record, whatever happens meanwhile.

The store and the registry cannot commit together. So a note of the checks lies in the store from before an
artifact is renamed into place until its row is there. Its process holds it locked; a note that nobody holds
is of a process that ended between the two, or gave up waiting for the registry, and whoever opens a workshop
next puts its artifact on record. Nothing is built again for that.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select

from hier_dag.durable import make_folders, sync_folder
from hier_dag.environment import code_commit, machine, user
from hier_dag.errors import StoreError
from hier_dag.registry import CheckRow, Registry
from hier_dag.registry.chain import ascii_json
from hier_dag.registry.tables import RequestRecord
from hier_dag.store import ArtifactStore
from hier_dag.store.failures import StorageError, told
from hier_dag.store.names import checked_digest, checked_kind
from hier_dag.store.staging import is_held, turn

PENDING = "pending"
"""Folder of the notes below a store's root."""
RECONCILED = "reconciled"
"""Check that says that a row was put on record later, and by what note."""

ADOPTED, ON_RECORD, NOTHING, DAMAGED, HELD = "adopted", "on record", "nothing committed", "damaged", "at work"


@dataclass(frozen=True)
class Note:
    """What the registry is to hear of an artifact beyond its manifest.

    Attributes:
        kind: of the artifact.
        digest: its digest.
        checks: that it passed.
        run_id: of the run that made it.
        seconds: that it took.
        commit: of the code that made it.
        who: whose process it was.
        machine: where that ran.
        at: when the note was written, ISO 8601, UTC.
    """

    kind: str
    digest: str
    checks: tuple[CheckRow, ...]
    run_id: str
    seconds: float
    commit: str
    who: str
    machine: dict[str, Any]
    at: str

    @classmethod
    def of_now(cls, kind: str, digest: str, checks: list[CheckRow], *, run_id: str, seconds: float) -> Note:
        """A note of this process."""
        return cls(
            kind=kind,
            digest=digest,
            checks=tuple(checks),
            run_id=run_id,
            seconds=seconds,
            commit=code_commit(),
            who=user(),
            machine=machine(),
            at=datetime.now(UTC).isoformat(),
        )


@dataclass(frozen=True)
class Taken:
    """What became of a note.

    Attributes:
        kind: of the artifact; empty where the note cannot be read.
        digest: its digest.
        outcome: `adopted`; `on record` already; `nothing committed`; `damaged`, the artifact that is; or
            `at work`, where a living process holds the note.
    """

    kind: str
    digest: str
    outcome: str


class Pending:
    """The note of one artifact, held by this process once it is written.

    Args:
        root: of the store.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file: IO[bytes] | None = None

    def write(self, note: Note) -> None:
        """Writes the note durably, under a name of its own.

        Raises:
            StorageError: the disk refuses.
        """
        path = self._root / PENDING / f"{note.digest}-{uuid.uuid4().hex}.json"
        with told(path):
            make_folders(path.parent)
            with turn(self._root):  # nobody who looks for notes finds it before it is held
                self._file = path.open("xb")
                fcntl.flock(self._file, fcntl.LOCK_EX)
            self._file.write(ascii_json(asdict(note)).encode())
            self._file.flush()
            os.fsync(self._file.fileno())
            sync_folder(path.parent)

    def done(self) -> None:
        """Takes the note away: its artifact is on record."""
        if self._file is not None:
            Path(self._file.name).unlink(missing_ok=True)

    def close(self) -> None:
        """Lets the note go; where it is still there, it is for others to take up."""
        if self._file is not None:
            with suppress(OSError):  # bytes of a write that failed are tried once more; that was told already
                self._file.close()


@contextmanager
def pending(root: Path) -> Iterator[Pending]:
    """A note to be written; let go on leaving.

    Args:
        root: of the store.
    """
    note = Pending(root)
    try:
        yield note
    finally:
        note.close()


def noted(root: Path) -> dict[str, bool]:
    """Digests of artifacts that have a note, and whether a process that is at work holds it.

    Args:
        root: of the store.
    """
    notes, found = _notes(root), dict[str, bool]()
    if notes:
        with turn(root, alone=True):
            for path in notes:
                digest = _digest(path)
                found[digest] = is_held(path) or found.get(digest, False)
    return found


def take_up(store: ArtifactStore, registry: Registry) -> list[Taken]:
    """Puts artifacts on record that a note vouches for, every byte checked; the notes are gone then.

    Args:
        store: where notes and artifacts lie.
        registry: where they belong.

    Raises:
        RegistryError: the registry cannot be used; notes that were not taken up stay.
        StorageError: the store cannot be written.
    """
    return [taken for path in _notes(store.root) if (taken := _take(store, registry, path)) is not None]


def _notes(root: Path) -> list[Path]:
    with suppress(FileNotFoundError):
        return sorted(path for path in (root / PENDING).iterdir() if path.name.endswith(".json"))
    return []


def _take(store: ArtifactStore, registry: Registry, path: Path) -> Taken | None:
    with told(path), _held(store.root, path) as file:
        if file is None:
            return Taken("", _digest(path), HELD) if path.exists() else None
        note = _parsed(file.read())
        outcome = NOTHING if note is None else _settled(store, registry, note)
        path.unlink(missing_ok=True)
        return Taken("" if note is None else note.kind, _digest(path), outcome)


def _digest(path: Path) -> str:
    return path.name.partition("-")[0]


@contextmanager
def _held(root: Path, path: Path) -> Iterator[IO[bytes] | None]:
    """A note, locked; None where somebody else has it, or took it away."""
    try:
        with turn(root, alone=True):
            file = path.open("rb")
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
    if not store.path_of(note.kind, note.digest).exists():
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


def _parsed(data: bytes) -> Note | None:
    """A note; None for one that its process did not finish writing: it committed nothing then."""
    try:
        content: dict[str, Any] = json.loads(data)
        checks = tuple(CheckRow(**check) for check in content.pop("checks"))
        note = Note(checks=checks, **content)
        checked_kind(note.kind)
        checked_digest(note.digest)
    except (ValueError, LookupError, TypeError, AttributeError, StoreError):
        return None
    return note
