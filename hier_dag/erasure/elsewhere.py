"""Files of a platform's state, beside its store and registry, in which ids stand: no erasure gets there.

Dagster keeps a history of runs of its own, whose metadata shows a few rows; there are pages, curves and
checkpoints of trainings that ended early. None of it is read by a build. It is told, so that somebody may
delete it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

_CHUNK = 1 << 24  # bytes that are looked at together
_LONGEST = 1 << 12  # bytes of an id that may lie across two chunks
_BETWEEN = re.compile(rb"[\s,;|\"'`{}\[\]()<>=:&\\\x00-\x1f]+")
_LOOKED_AT = ("checkpoints", "dagster", "data_docs", "live", "tensorboard")


def files_with(home: Path, ids: Collection[str]) -> list[str]:
    """Files that hold one of some ids between separators, relative to the home, in name order.

    Args:
        home: folder of the platform's state.
        ids: of the users.
    """
    wanted = frozenset(user.encode() for user in ids)
    files = (p for name in _LOOKED_AT for p in (home / name).rglob("*"))
    found = (p for p in files if p.is_file() and not p.is_symlink() and _holds(p, wanted))
    return sorted(str(p.relative_to(home)) for p in found)


def _holds(path: Path, ids: frozenset[bytes]) -> bool:
    return any(not ids.isdisjoint(_BETWEEN.split(chunk)) for chunk in _chunks(path))


def _chunks(path: Path) -> Iterator[bytes]:
    before = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield before + chunk
            before = chunk[-_LONGEST:]
