"""Notes of artifacts on their way into the registry: what must be put on record, whatever happens meanwhile.

The store and the registry cannot commit together. So a note of the checks lies in the store from before an
artifact is renamed into place until its row is there. Its process holds it locked; a note that nobody holds
is of a process that ended between the two, or gave up waiting for the registry, and whoever opens a workshop
next puts its artifact on record (`hier_dag.pipeline.take_up`). Nothing is built again for that.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hier_dag.durable import make_folders, sync_folder
from hier_dag.pipeline.note import Note
from hier_dag.store.failures import StorageError, reading, told
from hier_dag.store.staging import is_held, turn

PENDING = "pending"
"""Folder of the notes below a store's root."""


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
            self._file.write(note.to_bytes())
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


@dataclass(frozen=True)
class Noted:
    """Artifacts that have a note.

    Attributes:
        held: whether a process that is at work holds the note, by the artifact's digest.
        unread: notes, or their folder, that cannot be read; whether they are held is not known.
    """

    held: Mapping[str, bool]
    unread: tuple[StorageError, ...] = ()


def noted(root: Path) -> Noted:
    """Artifacts that have a note now.

    Args:
        root: of the store.
    """
    held, unread = dict[str, bool](), list[StorageError]()
    try:
        notes = notes_in(root)
        with reading(root), turn(root, alone=True) if notes else nullcontext():
            for path in notes:
                try:
                    with reading(path):
                        refuse_odd(path)
                        held[digest_in(path)] = is_held(path) or held.get(digest_in(path), False)
                except StorageError as error:
                    unread.append(error)
    except StorageError as error:  # their folder, or the store's lock
        unread.append(error)
    return Noted(held, tuple(unread))


def notes_in(root: Path) -> list[Path]:
    """Files of the notes in a store, by name.

    Raises:
        StorageError: their folder cannot be read.
    """
    with reading(root / PENDING), suppress(FileNotFoundError):
        return sorted(path for path in (root / PENDING).iterdir() if path.name.endswith(".json"))
    return []


def digest_in(path: Path) -> str:
    """Digest of the artifact that a note is of, by its name."""
    return path.name.partition("-")[0]


def refuse_odd(path: Path) -> None:
    """Looks at what lies under a note's name before it is opened: a pipe would keep its reader waiting.

    Raises:
        OSError: it is no plain file, or cannot be looked at.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
