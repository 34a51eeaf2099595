"""Writes that survive a crash: fsync what was written, then the folder that names it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def sync_file(path: Path) -> None:
    """Flushes one file's bytes to disk.

    Raises:
        OSError: with the path, which the system leaves out where it is given a descriptor.
    """
    fd = os.open(path, os.O_RDONLY)
    try:
        with _named(path):
            os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(path: Path) -> None:
    """Flushes one folder's entries to disk."""
    sync_file(path)


def make_folders(path: Path) -> None:
    """Makes a folder and those above it that are lacking, each flushed to the folder that names it.

    Raises:
        OSError: with the path.
    """
    if path.is_dir():
        return
    make_folders(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_tree(root: Path) -> None:
    """Flushes every file and folder below a folder."""
    for folder, _, names in os.walk(root, topdown=False):
        for name in names:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))


def replace_file(path: Path, data: bytes) -> None:
    """Replaces a small file atomically and durably: a reader sees the old bytes or the new, never a mix.

    Raises:
        OSError: with the path.
    """
    make_folders(path.parent)
    staged = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        # "x": a link that lies there under this name is not followed.
        with _named(staged), staged.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)
    sync_folder(path.parent)


def append_line(path: Path, line: str) -> None:
    """Appends a line to a file durably, in one write; processes that do so at once do not mix.

    Raises:
        OSError: with the path.
    """
    make_folders(path.parent)
    new = not path.exists()
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        with _named(path):
            os.write(fd, f"{line}\n".encode())
            os.fsync(fd)
    finally:
        os.close(fd)
    if new:
        sync_folder(path.parent)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        e.filename = e.filename or str(path)
        raise
