"""The lock of a training's folder: one process trains there at a time, and nobody removes what is held.

A lock is of a file, not of its name: once the folder was removed, whoever waited for the old file and whoever
makes a new one would both hold "the" lock. So it counts only if its file is the one that is found by name.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from pathlib import Path
from typing import IO

from hier_dag.errors import Busy

FOLDER_MODE, FILE_MODE = 0o755, 0o644  # whatever the umask: nobody else may write what a training reads
GONE = ".gone-"  # prefix of what is being removed
_LOCK = ".lock"
_LOOK_AGAIN = 0.2  # seconds


def held(folder: Path, patience: float = 0.0) -> IO[bytes]:
    """Holds a training's folder, which is made when it is not there, for this process.

    Args:
        folder: of one training.
        patience: seconds to wait for another process to end.

    Returns:
        To be closed; the lock goes with the process, however that ends.

    Raises:
        Busy: another process holds it.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
            file = (folder / _LOCK).open("ab")
        except (FileNotFoundError, FileExistsError):
            if folder.is_file():
                raise
            continue  # removed since
        if _takes(file):
            if _named(file, folder):
                (folder / _LOCK).chmod(FILE_MODE)
                return file
            file.close()
            continue
        file.close()
        if time.monotonic() >= deadline:
            raise Busy(
                "another process is training the same encoder",
                file=str(folder),
                fix="wait until it is done: its result is then reused; or end it, and the next run goes on "
                "from its last checkpoint",
            )
        time.sleep(_LOOK_AGAIN)


def is_held(folder: Path) -> bool:
    """Whether a process trains there."""
    try:
        with (folder / _LOCK).open("rb") as file:
            return not _takes(file)
    except FileNotFoundError:
        return False


def removed(folder: Path) -> bool:
    """Removes a training's folder; False where there is none or a process trains there."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    try:
        lock = held(folder)
    except Busy:
        return False
    with lock:
        # At once: whoever comes next finds the whole folder, or none.
        gone = folder.with_name(f"{GONE}{uuid.uuid4().hex}")
        os.rename(folder, gone)
    shutil.rmtree(gone, ignore_errors=True)
    return True


def _takes(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False


def _named(file: IO[bytes], folder: Path) -> bool:
    """Whether an open lock is still the one that others find."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(folder / _LOCK))
    except FileNotFoundError:
        return False
