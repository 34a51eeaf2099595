"""Copies of published sets at other places: a folder, a share or an object store, laid out like the home."""

from __future__ import annotations

import posixpath
import shutil
from collections.abc import Callable
from pathlib import Path

from fsspec import AbstractFileSystem

from hier_dag.digest import digest_file
from hier_dag.errors import StoreError
from hier_dag.publish.aliases import filesystem
from hier_dag.store import Artifact, ArtifactStore, failures
from hier_dag.store.artifact import MANIFEST


def copy_set(artifact: Artifact, root: str | Path, told: Callable[[str, int], None] = lambda *_: None) -> int:
    """Copies a set; what is there already, of its size, is left, so that a roll-back reads nothing.

    The manifest comes last, and no record points to the set before it is whole, so that nothing depends on
    a rename, which an object store lacks.

    Args:
        artifact: its files are checked against their digests.
        root: a local folder, or a URL that fsspec knows.
        told: called with each file's name and bytes once it is there.

    Returns:
        Bytes copied.

    Raises:
        StoreError: a copied file is not what was sent, or the place refuses it.
    """
    fs, place = filesystem(root)
    if fs is None:
        with failures.told(place):
            return _to_folder(artifact, Path(place), told)
    folder = posixpath.join(place, "store", "artifacts", *artifact.manifest.kind.split("/"), artifact.digest)
    copied = 0
    for name, size in _files(artifact):
        to = posixpath.join(folder, name)
        if _size(fs, to) == size and name != MANIFEST:
            continue
        with failures.told(to):
            fs.makedirs(posixpath.dirname(to), exist_ok=True)
            fs.put_file(str(artifact.path / name), to)
        if _size(fs, to) != size:
            raise StoreError(
                f"the copy has {_size(fs, to)} bytes instead of {size:,}",
                domain=artifact.manifest.partition,
                file=to,
                fix="look at the place's free space and rights, then run again",
            )
        copied += size
        told(name, size)
    return copied


def _to_folder(artifact: Artifact, root: Path, told: Callable[[str, int], None]) -> int:
    store = ArtifactStore(root / "store")
    kind = artifact.manifest.kind
    try:
        store.at_hand(kind, artifact.digest)
        return 0
    except StoreError:
        pass  # not there, or not whole: it is copied
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
    try:
        return int(fs.size(path))
    except FileNotFoundError:
        return None
