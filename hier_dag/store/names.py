"""What kinds, partitions and digests look like: every name that becomes part of a path is checked here."""

from __future__ import annotations

import re
from pathlib import Path

from hier_dag.errors import StoreError

LONGEST_NAME = 100
"""Characters of a domain or platform name: file names made of it stay below a file system's 255 bytes."""
NAME = re.compile(rf"[a-z0-9_]{{1,{LONGEST_NAME}}}")
KIND = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")
DIGEST = re.compile(r"[0-9a-f]{64}")


def is_name(text: object) -> bool:
    """Whether a text may name a domain, a platform or a partition, and so a folder."""
    return isinstance(text, str) and NAME.fullmatch(text) is not None


def is_digest(text: object) -> bool:
    """Whether a text is a SHA-256 in hex."""
    return isinstance(text, str) and DIGEST.fullmatch(text) is not None


def is_inside(name: str) -> bool:
    """Whether a relative file name stays inside the folder that it is joined to."""
    parts = name.split("/")
    sound = bool(name) and not name.startswith("/") and "\\" not in name and "\0" not in name
    return sound and not {"", ".", ".."} & set(parts)


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
