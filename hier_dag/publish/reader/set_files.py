"""The files of one set: each is memory-mapped and checked against its digest before it is used.

What is hashed is the mapping that is used afterwards. The digest of a set is that of its manifest, which has
the digest of every file.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from hier_dag.errors import StoreError
from hier_dag.names import is_digest, is_inside
from hier_dag.publish.reader.layout import KIND, MANIFEST, MANIFEST_FORMAT, set_folder
from hier_dag.publish.reader.places import Place
from hier_dag.publish.reader.reading import RERUN, json_object, map_file

_LARGEST_MANIFEST = 1 << 26
_verified: set[tuple[object, ...]] = set()
"""Files whose bytes were checked in this process: digest, device, inode, size, time of change."""


@dataclass(frozen=True)
class Entry:
    """What the manifest says of a file: name in the set's folder, SHA-256, size in bytes."""

    path: str
    sha256: str
    bytes: int


class SetFiles:
    """The files of a set, by name.

    Args:
        place: the root.
        digest: digest of the set.

    Raises:
        StoreError: when the set is not there, or its manifest is damaged or of another kind or format.
    """

    def __init__(self, place: Place, digest: str) -> None:
        self._place = place
        self._folder = set_folder(digest)
        self.manifest = _manifest(place, f"{self._folder}/{MANIFEST}", digest)
        self._entries = _entries(self.manifest, self.told(MANIFEST))
        self._buffers: dict[str, pa.Buffer] = {}
        self._lock = threading.Lock()

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def told(self, name: str) -> str:
        """How a file is called in messages."""
        return self._place.told(f"{self._folder}/{name}")

    def buffer(self, name: str) -> pa.Buffer:
        """A file's checked bytes.

        Raises:
            StoreError: when the set has no such file, or it is missing, damaged or a link.
        """
        with self._lock:
            known = self._buffers.get(name)
        return known if known is not None else self._checked(name)[0]

    def buffers(self, names: Sequence[str]) -> list[pa.Buffer]:
        """Checked bytes of several files, hashed side by side; errors as `buffer`."""
        with ThreadPoolExecutor(max(1, len(names))) as threads:
            return list(threads.map(self.buffer, names))

    def path(self, name: str) -> Path:
        """A checked file on this machine, for another program to read; errors as `buffer`."""
        return self._checked(name)[1]

    def _checked(self, name: str) -> tuple[pa.Buffer, Path]:
        entry = self._entries.get(name)
        if entry is None:
            raise StoreError(f"the set has no file {name!r}", file=self.told(MANIFEST), fix=RERUN)
        for again in (False, True):
            try:
                path = self._place.local(f"{self._folder}/{name}", again=again)
                buffer, status = map_file(path)
            except FileNotFoundError:
                raise StoreError("the file is missing", file=self.told(name), fix=RERUN) from None
            if _matches(buffer, entry, status):
                with self._lock:
                    return self._buffers.setdefault(name, buffer), path
            if not self._place.remote:
                break
        raise StoreError("the file does not match its digest", file=self.told(name), fix=RERUN)


def _matches(buffer: pa.Buffer, entry: Entry, status: os.stat_result) -> bool:
    if buffer.size != entry.bytes:
        return False
    key = (entry.sha256, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if key in _verified:
        return True
    if hashlib.sha256(buffer).hexdigest() != entry.sha256:
        return False
    _verified.add(key)
    return True


def _manifest(place: Place, name: str, digest: str) -> dict[str, Any]:
    file = place.told(name)
    try:
        data = place.read(name, _LARGEST_MANIFEST)
    except FileNotFoundError:
        raise StoreError(f"set {digest[:12]} is not in the store", file=file, fix=RERUN) from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise StoreError(f"the manifest of {digest[:12]} does not match its digest", file=file, fix=RERUN)
    manifest = json_object(data, file)
    number = manifest.get("format")
    if number != MANIFEST_FORMAT:
        raise StoreError(
            f"the manifest has format {number!r}; this reader knows {MANIFEST_FORMAT}",
            file=file,
            fix="read it with the hier_dag that published it, or a newer one",
        )
    if manifest.get("kind") != KIND:
        raise StoreError(f"this is a {manifest.get('kind')!r}, no published set", file=file)
    return manifest


def _entries(manifest: dict[str, Any], file: str) -> dict[str, Entry]:
    try:
        entries = [Entry(**entry) for entry in manifest["files"]]
        sound = all(is_inside(e.path) and is_digest(e.sha256) and type(e.bytes) is int for e in entries)
    except (KeyError, TypeError):
        sound = False
    if not sound:
        raise StoreError("the manifest's list of files is none", file=file, fix=RERUN)
    return {entry.path: entry for entry in entries}
