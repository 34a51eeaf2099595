"""Kinds and digests of artifacts as parts of a path, and links that lead out of it."""

from __future__ import annotations

import re
from pathlib import Path

from hier_dag.errors import StoreError
from hier_dag.names import is_digest

KIND = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")


def checked_kind(kind: str) -> str:
    """The kind of an artifact, such as `kg/graph`.

    Raises:
        StoreError: when it is none and could lead out of the store.
    """
    if KIND.fullmatch(kind) is None:
        raise StoreError(f"{kind!r} is no kind of artifact.", fix="kinds look like kg/graph")
    return kind


def checked_digest(digest: str) -> str:
    """The digest of an artifact.

    Raises:
        StoreError: when it is none and could lead out of the store.
    """
    if not is_digest(digest):
        raise StoreError(
            f"{digest!r} is no digest.", fix="give the 64 hexadecimal digits that the registry shows"
        )
    return digest


def linked(root: Path, name: str) -> Path | None:
    """The first symbolic link on the way from a folder (itself included) to a file in it; None without one.

    Args:
        root: the folder.
        name: relative name with forward slashes.
    """
    path = root
    if path.is_symlink():
        return path
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            return path
    return None
