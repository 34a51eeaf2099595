"""Copies of published sets at other places: a folder, a share or an object store, laid out like the home."""

from __future__ import annotations

import posixpath
import shutil
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from fsspec import AbstractFileSystem

from hier_dag.digest import digest_file
from hier_dag.errors import StoreError
from hier_dag.publish.fsspec_places import filesystem, place_errors
from hier_dag.publish.reader.layout import set_folder
from hier_dag.store import Artifact, ArtifactStore, failures
from hier_dag.store.artifact import MANIFEST
from hier_dag.store.local import open_folder


def copy_set(
    artifact: Artifact,
    root: str | Path,
    told: Callable[[str, int], None] = lambda *_: None,
    *,
    again: Collection[str] = (),
) -> int:
    """Copies a set; what is there already, of its size, is left, so that a roll-back reads nothing.

    Damage at a copy that leaves a file's size as it was goes unnoticed here; readers refuse the file, and
    `hier copies check` finds it.

    The manifest comes last, and no record points to the set before it is whole, so that nothing depends on
    a rename, which an object store lacks.

    Args:
        artifact: its files are checked against their digests where one of them is to be sent.
        root: a local folder, or a URL that fsspec knows.
        told: called with each file's name and bytes once it is there.
        again: names of files that are known to be damaged there.

    Returns:
        Bytes copied.

    Raises:
        StoreError: the set is damaged here, a copied file is not what was sent, the place refuses it, or its
            driver is not installed.
    """
    with place_errors(str(root)):
        fs, place = filesystem(root)
    if fs is None:
        with failures.told(place):
            return _to_folder(artifact, Path(place), told, again)
    return _to_store(artifact, fs, place, told, again)


def _to_store(
    artifact: Artifact,
    fs: AbstractFileSystem,
    place: str,
    told: Callable[[str, int], None],
    again: Collection[str],
) -> int:
    folder = posixpath.join(place, set_folder(artifact.digest))
    # The manifest is always sent: it is small, and readers begin with it.
    missing = [
        (name, size)
        for name, size in _files(artifact)
        if name == MANIFEST or name in again or _size(fs, posixpath.join(folder, name)) != size
    ]
    open_folder(artifact.path, artifact.digest, verified=set() if len(missing) > 1 else None)
    for name, size in missing:
        to = posixpath.join(folder, name)
        with place_errors(to):
            fs.makedirs(posixpath.dirname(to), exist_ok=True)
            fs.put_file(str(artifact.path / name), to)
        if _size(fs, to) != size:
            raise StoreError(
                f"the copy has {_size(fs, to)} bytes instead of {size:,}",
                domain=artifact.manifest.partition,
                file=to,
                fix="look at the place's free space and rights, then run again",
            )
        told(name, size)
    return sum(size for _, size in missing)


def _to_folder(
    artifact: Artifact, root: Path, told: Callable[[str, int], None], again: Collection[str]
) -> int:
    store = ArtifactStore(root / "store")
    kind = artifact.manifest.kind
    with suppress(StoreError):  # not there, or not whole: it is copied
        if not again:
            store.at_hand(kind, artifact.digest)
            return 0
    with store.stage(kind) as staged:
        for entry in artifact.manifest.files:
            to = staged / entry.path
            to.parent.mkdir(parents=True, exist_ok=True)
            with failures.told(to):
                shutil.copyfile(artifact.path / entry.path, to)
            if digest_file(to) != entry.sha256:
                raise StoreError(
                    "the copy does not match its digest",
                    domain=artifact.manifest.partition,
                    file=str(to),
                    fix="look at the place's disk, then run again",
                )
            told(entry.path, entry.bytes)
        store.commit(staged, artifact.manifest)
    return sum(size for _, size in _files(artifact))


def _files(artifact: Artifact) -> list[tuple[str, int]]:
    """Names and bytes, the manifest last."""
    files = [(entry.path, entry.bytes) for entry in artifact.manifest.files]
    return [*files, (MANIFEST, (artifact.path / MANIFEST).stat().st_size)]


def _size(fs: AbstractFileSystem, path: str) -> int | None:
    with place_errors(path):
        try:
            return int(fs.size(path))
        except FileNotFoundError:
            return None
