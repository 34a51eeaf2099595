"""Copies of sets on this machine, kept within a number of bytes: those used longest ago go first."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hier_dag.errors import UsageError
from hier_dag.names import is_digest

LIMIT = "HIER_CACHE_BYTES"
"""Variable of the environment that says how many bytes copies of sets may take."""
DEFAULT = 20_000_000_000
_IN_USE = 3600.0  # seconds since a file of a set was asked for
_PRUNED = ".pruned-"


@dataclass(frozen=True)
class _Kept:
    folder: Path
    bytes: int
    used_at: float


def limit() -> int:
    """How many bytes copies of sets may take.

    Raises:
        UsageError: the environment says no number.
    """
    given = os.environ.get(LIMIT, "").strip()
    if not given:
        return DEFAULT
    try:
        wanted = int(float(given))
    except (ValueError, OverflowError):
        wanted = -1
    if wanted < 0:
        raise UsageError(f"{LIMIT} is {given!r}, no number of bytes.", fix=f"such as {LIMIT}=5e9 for 5 GB")
    return wanted


def used(folder: Path) -> None:
    """Notes that a set's copy is used now, so that others go before it."""
    with suppress(OSError):
        os.utime(folder)


def prune(cache: Path, at_most: int, now: float | None = None) -> int:
    """Removes the copies of sets used longest ago, until the others take no more than so many bytes.

    A set of which a file was asked for within the last hour stays, in this process or another: it may be
    about to be read. A process that holds an older set goes on reading it all the same: its files are mapped,
    and what it has not fetched yet is fetched again.

    Args:
        cache: folder of the copies, one folder a set.
        at_most: bytes.
        now: seconds since the epoch; None asks the clock.

    Returns:
        Bytes removed.
    """
    now = time.time() if now is None else now
    sets = sorted(_sets(cache), key=lambda kept: kept.used_at)
    total, removed = sum(kept.bytes for kept in sets), 0
    for kept in sets:
        if total - removed <= at_most or now - kept.used_at < _IN_USE:
            break
        removed += _remove(kept)
    return removed


def _sets(cache: Path) -> Iterator[_Kept]:
    for folder in cache.iterdir() if cache.is_dir() else ():
        if folder.name.startswith(_PRUNED):
            shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
        elif is_digest(folder.name) and not folder.is_symlink():
            with suppress(OSError):  # another process prunes too
                size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
                yield _Kept(folder, size, folder.stat().st_mtime)


def _remove(kept: _Kept) -> int:
    """Takes a set out of everybody's sight in one step, then removes it."""
    aside = kept.folder.with_name(f"{_PRUNED}{uuid.uuid4().hex}")
    try:
        kept.folder.rename(aside)
    except OSError:
        return 0  # another process was first
    shutil.rmtree(aside, ignore_errors=True)
    return kept.bytes
