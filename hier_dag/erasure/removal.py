"""Takes artifacts away for good, at home and at copies; who does and why is on record."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.publish.fsspec_places import filesystem, place_errors
from hier_dag.registry import Registry
from hier_dag.registry.decisions import COLLECTED
from hier_dag.retention.leftovers import TAKEN
from hier_dag.store import ArtifactStore
from hier_dag.store.staging import staged_folder, turn


def remove_here(
    store: ArtifactStore, registry: Registry, artifacts: Iterable[tuple[str, str, str]], why: str
) -> None:
    """Removes artifacts from the store: out of everybody's sight in one step each, then from the disk.

    Whoever has a file open goes on reading it; who comes later finds the artifact gone.

    Args:
        store: the store.
        registry: where each removal is put on record.
        artifacts: kind, partition (empty without one) and digest.
        why: in words.
    """
    with staged_folder(store.root, TAKEN) as trash:
        taken = []
        with turn(store.root, alone=True):
            for kind, partition, digest in artifacts:
                folder = store.path_of(kind, digest)
                if folder.is_dir():
                    place = trash / kind / digest
                    place.parent.mkdir(parents=True, exist_ok=True)
                    os.rename(folder, place)
                    taken.append((partition, digest))
        for partition, digest in taken:
            registry.decide(partition, COLLECTED, digest, why=why)


def remove_at(place: str, digests: Sequence[str]) -> None:
    """Removes sets from a copy; those that it lacks are passed over.

    Args:
        place: folder or URL of the copy.
        digests: of the sets.

    Raises:
        StorageError: the place cannot be reached, or refuses.
    """
    with place_errors(place):
        fs, root = filesystem(place)
        for digest in digests:
            folder = posixpath.join(root, "store", "artifacts", *PUBLISHED.split("/"), digest)
            if fs is None:
                _remove_folder(Path(folder))
            elif fs.exists(folder):
                fs.rm(folder, recursive=True)


def _remove_folder(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir():
        return
    aside = folder.with_name(f".{folder.name}.going")
    os.rename(folder, aside)  # in one step: nobody finds half of it under its name
    shutil.rmtree(aside)
