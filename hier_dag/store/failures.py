"""What the system says of a disk that is full or broken, as an error of ours."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hier_dag.errors import StoreError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_DISK = (*_FULL, errno.EIO, errno.EROFS)
_FULL_WORDS = tuple(os.strerror(number) for number in _FULL)
_MEND = "free space, or mend the disk or its rights, then run again: what is live stays live"
_RIGHTS = "mend the disk or its rights, then run again: what is live stays live"
_ROOM = "make room (hier gc shows what nothing needs), then run again: what is done is kept"


class StorageError(StoreError):
    """A disk or a place of copies refuses; no data is at fault, and the same again may succeed."""

    code = "storage"


@contextmanager
def told(path: str | Path) -> Iterator[None]:
    """Turns an error of the system into a `StorageError` that names the file and a fix.

    Args:
        path: named where the system's error names none.

    Raises:
        StorageError: for any OSError inside the block; of a full disk with what is free there.
    """
    try:
        yield
    except OSError as e:
        raise _storage_error("the file cannot be written", e, path) from e


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """As `told`, for a block that reads.

    Raises:
        StorageError: for any OSError inside the block.
    """
    try:
        yield
    except OSError as e:
        raise unreadable(e, path) from e


def unreadable(error: OSError, path: str | Path) -> StorageError:
    """What the system said of something that it does not let be read.

    Args:
        error: of the system.
        path: named where the error names no file.
    """
    file = str(error.filename2 or error.filename or path)
    return StorageError(f"it cannot be read: {error.strerror or error}", file=file, fix=_RIGHTS)


@contextmanager
def disk_told(path: str | Path) -> Iterator[None]:
    """Turns whatever a full or broken disk made a block raise into a `StorageError`; the rest passes.

    Libraries tell of a full disk by errors of their own (DuckDB), and processes beside this one in words
    alone: these are what such an error is known by.

    Args:
        path: named where the error names no file.

    Raises:
        StorageError: for an error that a disk was the cause of.
    """
    try:
        yield
    except StorageError:
        raise
    except Exception as e:
        cause = _of_the_disk(e)
        if cause is None:
            raise
        raise _storage_error("the disk refuses", cause, path) from e


def _of_the_disk(error: Exception) -> BaseException | None:
    """The error of a disk that an error is, or came from."""
    if isinstance(error, OSError) and error.errno in _DISK:
        return error
    at: BaseException | None = error
    while at is not None:  # of what a raw file's own disk says, only that there is no room is no data's fault
        if _is_full(at):
            return at
        at = at.__cause__ or at.__context__
    return None


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    return any(words in str(error) for words in _FULL_WORDS)


def _storage_error(what: str, error: BaseException, path: str | Path) -> StorageError:
    file, said = str(path), str(error)
    if isinstance(error, OSError):
        file = str(error.filename2 or error.filename or path)
        said = error.strerror or said
    elif isinstance(error, StoreError):
        file, said = error.file or file, error.message
    if not _is_full(error):
        return StorageError(f"{what}: {said}", file=file, fix=_MEND)
    return StorageError(f"{what}: {said}{_free(Path(file))}", file=file, fix=_ROOM)


def _free(path: Path) -> str:
    """How much room there is where a file was to be; nothing where the system does not tell."""
    there = next((folder for folder in (path, *path.parents) if folder.exists()), path)
    with suppress(OSError):
        disk = os.statvfs(there)
        return f" (free there: {disk.f_bavail * disk.f_frsize / 1e6:,.1f} MB, {disk.f_favail:,} file names)"
    return ""
