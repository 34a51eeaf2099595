"""Which sets the alias files beside a store name: readers go by them, whatever a registry says."""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from fsspec import AbstractFileSystem

from hier_dag.names import is_digest
from hier_dag.publish.reader.layout import RECORDS

_LARGEST = 1 << 16  # bytes of an alias file


def named_by_files(live: Path, keep: int) -> set[str]:
    """Digests of the newest sets that each alias has pointed to, as its files say.

    Args:
        live: folder of the aliases: `<domain>/<alias>/<version>.json`; once it was `<domain>.json`.
        keep: how many sets of each alias.
    """
    found: dict[Path, list[tuple[int, str]]] = defaultdict(list)
    for file in (*live.glob("*/*/*.json"), *live.glob("*.json")):
        alias = file.parent if file.parent != live else file
        found[alias] += _version(file)
    return {digest for versions in found.values() for digest in _distinct(versions, keep)}


def named_at(fs: AbstractFileSystem, root: str, keep: int) -> set[str]:
    """Digests of the sets that the newest versions of each alias at a copy name.

    Args:
        fs: the copy's file system.
        root: of the copy on it.
        keep: how many versions of each alias.
    """
    files: dict[str, list[str]] = defaultdict(list)
    for file in fs.glob(posixpath.join(root, RECORDS, "*", "*", "*.json")):
        files[posixpath.dirname(file)].append(file)
    newest = (file for records in files.values() for file in sorted(records, reverse=True)[:keep])
    return {digest for file in newest for _, digest in _said(fs.cat_file(file, end=_LARGEST + 1))}


def _version(file: Path) -> Iterator[tuple[int, str]]:
    # What is damaged names no set: its readers refuse it too.
    if file.name.startswith(".") or file.is_symlink():
        return
    try:
        with file.open("rb") as record:
            data = record.read(_LARGEST + 1)
    except OSError:
        return
    yield from _said(data)


def _said(data: bytes) -> Iterator[tuple[int, str]]:
    try:
        said = json.loads(data)
        version, digest = said["version"], said["digest"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return
    if is_digest(digest) and type(version) is int:
        yield version, digest


def _distinct(versions: list[tuple[int, str]], keep: int) -> list[str]:
    return list(dict.fromkeys(digest for _, digest in sorted(versions, reverse=True)))[:keep]
