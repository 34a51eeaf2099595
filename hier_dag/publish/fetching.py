"""A set comes back from a copy: every byte checked, in place whole or not at all."""

from __future__ import annotations

import hashlib
import posixpath
from pathlib import Path

import fsspec
from fsspec import AbstractFileSystem
from pydantic import ValidationError

from hier_dag.errors import StoreError
from hier_dag.publish.fsspec_places import filesystem, place_errors
from hier_dag.publish.reader.layout import KIND, set_folder
from hier_dag.store import Artifact, ArtifactStore, FileEntry, Manifest, failures
from hier_dag.store.artifact import MANIFEST

_CHUNK = 1 << 20
_LARGEST_MANIFEST = 1 << 26
_ELSEWHERE = "take it from another copy or a backup"


def fetch_set(store: ArtifactStore, digest: str, root: str | Path) -> Artifact:
    """Brings a set back from a copy; what lies damaged in its place is set aside.

    Args:
        store: that it belongs in.
        digest: of the set.
        root: a local folder, or a URL that fsspec knows.

    Raises:
        StoreError: the copy has no such set, or not whole.
        StorageError: the copy cannot be reached, or the store's own disk refuses.
    """
    with place_errors(str(root)):
        fs, place = filesystem(root)
        fs = fsspec.filesystem("file") if fs is None else fs
    folder = posixpath.join(place, set_folder(digest))
    manifest = read_manifest(fs, folder, digest)
    with store.stage(KIND) as staged:
        for entry in manifest.files:
            _fetch(fs, posixpath.join(folder, entry.path), staged / entry.path, entry)
        return store.commit(staged, manifest, manifest.files)


def read_manifest(fs: AbstractFileSystem, folder: str, digest: str) -> Manifest:
    """The manifest of a set at a copy.

    Args:
        fs: the copy's file system.
        folder: of the set on it.
        digest: of the set, which its manifest must have.

    Raises:
        StoreError: there is none, or another one.
    """
    file = posixpath.join(folder, MANIFEST)
    with place_errors(file):
        if not fs.isfile(file):
            raise StoreError("the copy has no such set", file=folder, fix=_ELSEWHERE)
        with fs.open(file, "rb") as opened:
            raw = opened.read(_LARGEST_MANIFEST)
    try:
        if hashlib.sha256(raw).hexdigest() == digest:
            manifest = Manifest.model_validate_json(raw)
            if manifest.kind == KIND:
                return manifest
    except ValidationError:
        pass
    raise StoreError("the manifest does not match its digest", file=file, fix=_ELSEWHERE)


def _fetch(fs: AbstractFileSystem, file: str, to: Path, entry: FileEntry) -> None:
    hashed, size = hashlib.sha256(), 0
    with place_errors(file):
        if not fs.isfile(file):
            raise StoreError("the file is missing", file=file, fix=_ELSEWHERE)
        source = fs.open(file, "rb")
    with source, failures.told(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("xb") as written:
            while size <= entry.bytes:
                with place_errors(file):
                    chunk = source.read(_CHUNK)
                if not chunk:
                    break
                hashed.update(chunk)
                size += len(chunk)
                written.write(chunk)
    if size != entry.bytes or hashed.hexdigest() != entry.sha256:
        raise StoreError("the file does not match its digest", file=file, fix=_ELSEWHERE)
