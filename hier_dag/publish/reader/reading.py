"""Bytes and formats, read so that what is not what its name says is a `StoreError`."""

from __future__ import annotations

import errno
import json
import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from hier_dag.errors import StoreError

RERUN = "publish again: a set is rebuilt from its recorded inputs"
_UNREADABLE = (
    OSError, pa.ArrowException, LookupError, ValueError, TypeError, OverflowError, RecursionError,
    RuntimeError,
)  # fmt: skip


@contextmanager
def reading(file: str) -> Iterator[None]:
    """Turns what a format's own reader says of a file into a `StoreError`; no other format is tried."""
    try:
        yield
    except _UNREADABLE as error:
        what = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise StoreError(f"the file is not what its name says: {what}", file=file, fix=RERUN) from error


def json_object(data: bytes, file: str) -> dict[str, Any]:
    """The JSON object that bytes hold.

    Raises:
        StoreError: when they hold something else.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise StoreError(f"the file is no JSON: {e}", file=file, fix=RERUN) from None
    if not isinstance(value, dict):
        raise StoreError("the file is no JSON object", file=file, fix=RERUN)
    return value


@contextmanager
def plain_file(path: Path) -> Iterator[tuple[int, os.stat_result]]:
    """Opens a plain file for reading, never through a link; a pipe is refused, not waited for.

    Yields:
        Its descriptor and status.

    Raises:
        FileNotFoundError: when there is none.
        StoreError: when it is a link or no plain file.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as e:
        if e.errno != errno.ELOOP:
            raise
        raise StoreError("the file is a link to another place", file=str(path), fix=RERUN) from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise StoreError("this is not a plain file", file=str(path), fix=RERUN)
        yield fd, status
    finally:
        os.close(fd)


def map_file(path: Path) -> tuple[pa.Buffer, os.stat_result]:
    """A plain file's bytes, memory-mapped, and its status; errors as `plain_file`."""
    with plain_file(path) as (fd, status):
        if status.st_size == 0:
            return pa.py_buffer(b""), status
        return pa.py_buffer(mmap.mmap(fd, status.st_size, access=mmap.ACCESS_READ)), status
