"""Who is at work in a store: locks of staged folders, a lock to take things away, notes of what is used.

Each staged folder has a file beside it, `<folder>.lock`, that its process holds; the hold goes with the
process, however that ends, so that what was left is told from what is being written. The store has one lock
itself, `.lock`: everybody holds it for a moment, to use something (together) or to take it away (alone).
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hier_dag.errors import StoreError
from hier_dag.store.failures import told

STAGING = "staging"
LOCK = ".lock"
"""Name of the store's lock, and what the name of a staged folder's lock ends with."""


@contextmanager
def staged_folder(root: Path, name: str) -> Iterator[Path]:
    """A fresh folder of work in progress; what is left in it is removed on leaving.

    Args:
        root: of the store.
        name: how the folder's name begins.

    Raises:
        StoreError: the folder cannot be made.
    """
    staged = root / STAGING / f"{name}-{uuid.uuid4().hex}"
    lock = lock_of(staged)
    with told(staged), turn(root):  # nobody who cleans up finds the lock before it is held
        staged.parent.mkdir(parents=True, exist_ok=True)
        held = lock.open("xb")
        fcntl.flock(held, fcntl.LOCK_EX)
        staged.mkdir()
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)
        lock.unlink(missing_ok=True)
        held.close()


def lock_of(staged: Path) -> Path:
    """The file that says whether a process is at a staged folder."""
    return staged.with_name(staged.name + LOCK)


def is_held(lock: Path) -> bool:
    """Whether a process holds a staged folder's lock; to be asked alone (`turn`)."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False


@contextmanager
def turn(root: Path, *, alone: bool = False) -> Iterator[None]:
    """A short turn at the store: together with others that use it, or alone to take something away.

    Args:
        root: of the store.
        alone: waits until nobody else is at it, and keeps others waiting.

    Raises:
        StoreError: the lock was replaced by a link.
        OSError: there is no lock, and none can be made; or it cannot be opened.
    """
    path = root / LOCK
    try:
        fd = _open(path, alone=alone)
    except OSError as e:
        if e.errno != errno.ELOOP:
            raise
        raise StoreError("the lock is a link to another place", file=str(path), fix="remove it") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


def _open(path: Path, *, alone: bool) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as e:
        if not alone or e.errno not in (errno.EACCES, errno.EROFS):
            raise
        # Who may not write looks at what would be taken away; use is noted by those who may.
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)


def renew(root: Path, folder: Path) -> None:
    """Notes that an artifact is used now, so that no clean-up takes it for one that nobody needs.

    The note is the time of its folder, made before the artifact is opened: a clean-up that looked earlier has
    taken the whole folder away by then. Where nothing may be written, nothing is noted.

    Args:
        root: of the store.
        folder: of the artifact.
    """
    with suppress(OSError), turn(root):
        os.utime(folder, follow_symlinks=False)
