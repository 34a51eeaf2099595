"""Whether a place holds a set whole: every file is read and compared with the digest of its manifest."""

from __future__ import annotations

import hashlib
import posixpath
from pathlib import Path

import fsspec
from fsspec import AbstractFileSystem

from hier_dag.errors import StoreError
from hier_dag.publish.fetching import read_manifest
from hier_dag.publish.fsspec_places import filesystem, place_errors
from hier_dag.publish.reader.layout import set_folder
from hier_dag.store import FileEntry
from hier_dag.store.artifact import MANIFEST
from hier_dag.store.failures import StorageError

_CHUNK = 1 << 20


def damaged_files(digest: str, root: str | Path) -> tuple[str, ...]:
    """Names of a set's files at a place that are missing or not what the set's digest says.

    What an object store tells of a file without its being read (size, ETag) does not tell a damaged one from
    a whole one at every store alike, so all of it is read.

    Args:
        digest: of the set.
        root: a local folder, or a URL that fsspec knows.

    Returns:
        In the manifest's order; the manifest alone where that is damaged, since it vouches for the others.

    Raises:
        StorageError: the place cannot be read.
    """
    with place_errors(str(root)):
        fs, place = filesystem(root)
        fs = fsspec.filesystem("file") if fs is None else fs
    folder = posixpath.join(place, set_folder(digest))
    try:
        manifest = read_manifest(fs, folder, digest)
    except StorageError:
        raise
    except StoreError:
        return (MANIFEST,)
    return tuple(e.path for e in manifest.files if not _is_whole(fs, posixpath.join(folder, e.path), e))


def _is_whole(fs: AbstractFileSystem, file: str, entry: FileEntry) -> bool:
    hashed = hashlib.sha256()
    with place_errors(file):
        if not fs.isfile(file) or fs.size(file) != entry.bytes:
            return False
        with fs.open(file, "rb") as opened:
            while chunk := opened.read(_CHUNK):
                hashed.update(chunk)
    return hashed.hexdigest() == entry.sha256
