"""Folders below a store's `artifacts`: artifacts by their names, what is none, and what cannot be read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hier_dag.names import is_digest
from hier_dag.store.failures import StorageError, unreadable

_PART = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True)
class Folder:
    """A folder that is named as an artifact's is; what is inside was not looked at.

    Attributes:
        kind: by its place.
        digest: its name.
        path: where it is.
    """

    kind: str
    digest: str
    path: Path


@dataclass
class Folders:
    """Everything that is found where artifacts belong, in order of names.

    Attributes:
        artifacts: folders of artifacts.
        strangers: files, links and folders with other names, at every level; none of them is entered.
        unread: folders that the system does not let be read, each with its path as `file`.
    """

    artifacts: list[Folder] = field(default_factory=list)
    strangers: list[Path] = field(default_factory=list)
    unread: list[StorageError] = field(default_factory=list)


def folders(artifacts: Path) -> Folders:
    """Looks through `<kind>/<digest>` below a folder; no link is followed, that folder itself included.

    Args:
        artifacts: `artifacts` of a store, or another folder that is laid out so.
    """
    found = Folders()
    try:
        if not stat.S_ISDIR(artifacts.lstat().st_mode):
            found.strangers.append(artifacts)
            return found
    except FileNotFoundError:
        return found
    except OSError as error:
        found.unread.append(unreadable(error, artifacts))
        return found
    for group in _inside(artifacts, _is_part, found):
        for kind in _inside(group, _is_part, found):
            name = f"{group.name}/{kind.name}"
            found.artifacts += [Folder(name, path.name, path) for path in _inside(kind, is_digest, found)]
    return found


def _inside(folder: Path, is_named: Callable[[str], bool], found: Folders) -> list[Path]:
    """Folders inside one, by name; what else is there, or keeps them from being read, is noted."""
    try:
        with os.scandir(folder) as entries:
            there = sorted((e.name, e.is_dir(follow_symlinks=False)) for e in entries)
    except (FileNotFoundError, NotADirectoryError):  # taken away since
        return []
    except OSError as error:
        found.unread.append(unreadable(error, folder))
        return []
    fits = [is_folder and is_named(name) for name, is_folder in there]
    found.strangers += [folder / name for (name, _), fit in zip(there, fits, strict=True) if not fit]
    return [folder / name for (name, _), fit in zip(there, fits, strict=True) if fit]


def _is_part(name: str) -> bool:
    return _PART.fullmatch(name) is not None
