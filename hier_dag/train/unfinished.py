"""Checkpoints of trainings that were given up: nobody asks for their key again, so nobody removes them."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from hier_dag.train.lock import GONE, removed

_DAY = 86_400.0  # seconds


def remove_unfinished(root: Path, days: float, *, keep: str) -> list[str]:
    """Removes the checkpoints of trainings that saved nothing for some days and that no process is at.

    Args:
        root: folder of all checkpoints, one folder a training below it.
        days: how old the newest file of a training must be.
        keep: the key of the training that is about to start, which stays.

    Returns:
        The keys that were removed, sorted.
    """
    now = time.time()
    folders = sorted(p for p in root.glob("*") if p.is_dir() and not p.is_symlink() and p.name != keep)
    given_up = [p for p in folders if now - _newest(p) > days * _DAY]
    for left in (p for p in given_up if p.name.startswith(GONE)):  # by a removal that was killed
        shutil.rmtree(left, ignore_errors=True)
    return [p.name for p in given_up if not p.name.startswith(GONE) and removed(p)]


def _newest(folder: Path) -> float:
    """When something was last written there, seconds since 1970."""
    times = [0.0]
    for path in (folder, *folder.glob("*")):
        with suppress(OSError):  # removed meanwhile
            times.append(path.stat().st_mtime)
    return max(times)
