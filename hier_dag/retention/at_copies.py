"""Sets at copies: those that the rules of retention keep no longer go there too."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import fsspec
from fsspec import AbstractFileSystem

from hier_dag.errors import StoreError
from hier_dag.names import is_digest
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.publish.fsspec_places import filesystem, place_errors
from hier_dag.publish.reader.layout import SETS, set_folder
from hier_dag.retention.live_files import named_at
from hier_dag.retention.records import Known, Records
from hier_dag.store.artifact import MANIFEST
from hier_dag.store.failures import told
from hier_dag.store.staging import staged_folder, turn


@dataclass(frozen=True)
class CopySet:
    """A set at a copy that need not stay.

    Attributes:
        place: the copy.
        digest: of the set.
        partition: its domain.
        bytes: of its files, as they are on record.
        why: it goes.
    """

    place: str
    digest: str
    partition: str | None
    bytes: int
    why: str


@dataclass(frozen=True)
class AtCopies:
    """What would go at copies.

    Attributes:
        going: sets, by place and digest.
        unreached: places that could not be asked, each with the reason.
    """

    going: tuple[CopySet, ...] = ()
    unreached: tuple[str, ...] = ()


def going_at_copies(
    places: Sequence[str],
    records: Records,
    kept: Mapping[str, str],
    keep: int,
    why: Callable[[str, Known], str],
) -> AtCopies:
    """Sets at copies that nothing keeps any more; nothing is changed.

    A set that is on no record stays, since another platform may publish there; so does one that the newest
    records at the copy itself name, whatever a registry that was restored from a backup says.

    Args:
        places: declared copies.
        records: of the registry.
        kept: digests that must stay.
        keep: versions of each alias, by the records at the copy, whose sets stay there.
        why: says why an artifact goes.
    """
    going: list[CopySet] = []
    unreached: list[str] = []
    for place in places:
        try:
            going += _going(place, records, kept, keep, why)
        except StoreError as error:
            unreached.append(f"{place}: {error.message}")
    return AtCopies(tuple(going), tuple(unreached))


def _going(
    place: str,
    records: Records,
    kept: Mapping[str, str],
    keep: int,
    why: Callable[[str, Known], str],
) -> Iterator[CopySet]:
    with place_errors(place):
        fs, root = _opened(place)
        folder = posixpath.join(root, SETS)
        found = fs.ls(folder, detail=False, refresh=True) if fs.exists(folder) else []
        there = sorted({posixpath.basename(name.rstrip("/")) for name in found})
        candidates = [d for d in there if is_digest(d) and d not in kept and d in records.artifacts]
        named = named_at(fs, root, keep) if candidates else set()
    for digest in candidates:
        known = records.artifacts[digest]
        if known.kind == PUBLISHED and digest not in named:
            yield CopySet(place, digest, known.partition, known.bytes, why(digest, known))


def remove_at_copy(gone: CopySet) -> None:
    """Removes a set from a copy; readers find it whole or not at all, but for files they fetch that moment.

    Raises:
        StorageError: the place refuses.
    """
    with place_errors(gone.place):
        fs, root = filesystem(gone.place)
    if fs is None:
        _remove_folder(Path(root), gone.digest)
        return
    folder = posixpath.join(root, set_folder(gone.digest))
    with place_errors(folder):
        manifest = posixpath.join(folder, MANIFEST)
        if fs.exists(manifest):  # first: without it nobody begins to read the others
            fs.rm_file(manifest)
        fs.rm(folder, recursive=True)


def _remove_folder(root: Path, digest: str) -> None:
    store, folder = root / "store", root / set_folder(digest)
    with told(folder), staged_folder(store, "gone") as trash:  # what a kill leaves is a leftover like others
        with turn(store, alone=True):
            os.rename(folder, trash / digest)
        shutil.rmtree(trash / digest)


def _opened(place: str) -> tuple[AbstractFileSystem, str]:
    fs, root = filesystem(place)
    return (fsspec.filesystem("file") if fs is None else fs), root
