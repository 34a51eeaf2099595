"""What ended processes left behind: staged folders, temporary files; and what living ones are at."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hier_dag.home import Home
from hier_dag.retention.sizes import bytes_below
from hier_dag.store.staging import LOCK, STAGING, is_held, lock_of

TAKEN = "gc"
"""How names of folders begin that a clean-up takes artifacts to."""
_DAMAGED = "damaged-"
_TEMPORARY = re.compile(r"\..+\.tmp")

ENDED, SET_ASIDE = "its process has ended", "damaged, set aside"
OLD_STAGED, OLD_FILE = "nothing was written there for the grace period", "temporary file of an ended process"


@dataclass(frozen=True)
class Leftover:
    """Something that nobody will use.

    Attributes:
        path: of the folder or file.
        bytes: of its files.
        at: when something was last written there, UTC.
        why: it may go.
    """

    path: Path
    bytes: int
    at: datetime
    why: str


def staged_leftovers(root: Path, grace: timedelta, now: datetime) -> list[Leftover]:
    """What lies in staging and no process is at, by name; what clean-ups took is told by `taken_before`.

    To be asked alone (`turn`).

    Args:
        root: of the store.
        grace: how long what has no lock must have been left alone: it may be of another version.
        now: UTC.
    """
    return [
        Leftover(path, bytes_below(path), _newest(path), why)
        for path in sorted((root / STAGING).glob("*"))
        if (why := _staged(path, grace, now)) is not None
    ]


def taken_before(root: Path) -> list[Path]:
    """Folders of clean-ups that were killed; to be asked alone (`turn`)."""
    return [p for p in sorted((root / STAGING).glob(f"{TAKEN}-*")) if p.is_dir() and not is_held(lock_of(p))]


def at_work_since(root: Path) -> datetime | None:
    """When the oldest staged work began that a process is at, UTC; to be asked alone (`turn`)."""
    held = [p for p in (root / STAGING).glob(f"*{LOCK}") if not p.name.startswith(f"{TAKEN}-") and is_held(p)]
    return min(map(_changed, held), default=None)


def temporary_files(home: Home, grace: timedelta, now: datetime) -> list[Leftover]:
    """Files that were to replace another, or to become an alias record, older than the grace period."""
    folders = (home.root.parent, home.root, home.live)
    found = {p for folder in folders for p in folder.glob(".*.tmp") if _named(p)}
    return [*_temporary(found, grace, now), *temporary_records(home.live, grace, now)]


def temporary_records(live: Path, grace: timedelta, now: datetime) -> list[Leftover]:
    """Files below a folder of aliases that were to become records, older than the grace period."""
    return _temporary({p for p in live.glob("*/*/.*") if not p.name.endswith(LOCK)}, grace, now)


def _temporary(found: Iterable[Path], grace: timedelta, now: datetime) -> list[Leftover]:
    plain = sorted(p for p in found if p.is_file() and not p.is_symlink())
    return [Leftover(p, bytes_below(p), at, OLD_FILE) for p in plain if now - (at := _changed(p)) > grace]


def _named(path: Path) -> bool:
    return _TEMPORARY.fullmatch(path.name) is not None


def remove(left: Path) -> None:
    """Removes what was left behind, and its lock."""
    if left.is_dir() and not left.is_symlink():
        shutil.rmtree(left, ignore_errors=True)
    else:
        left.unlink(missing_ok=True)
    lock_of(left).unlink(missing_ok=True)


def _staged(path: Path, grace: timedelta, now: datetime) -> str | None:
    """Why something in staging may go; None where it must stay, or goes with something else."""
    if path.name.startswith(f"{TAKEN}-"):
        return None
    if path.name.endswith(LOCK):
        folder = path.with_name(path.name.removesuffix(LOCK))
        return ENDED if not folder.exists() and not is_held(path) else None
    lock = lock_of(path)
    if lock.exists():
        return None if is_held(lock) else ENDED
    if path.name.startswith(_DAMAGED):
        return SET_ASIDE
    return OLD_STAGED if now - _newest(path) > grace else None


def _newest(path: Path) -> datetime:
    """When something was last written there."""
    return max((_changed(p) for p in (path, *_below(path))), default=datetime.min.replace(tzinfo=UTC))


def _below(path: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(path):
        yield from (Path(folder, name) for name in (*folders, *files))


def _changed(path: Path) -> datetime:
    with suppress(FileNotFoundError):
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    return datetime.min.replace(tzinfo=UTC)  # removed since
