"""What still lies in a store, asked for as little of it as the question needs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from hier_dag.digest import digest_file
from hier_dag.errors import StoreError
from hier_dag.store import ArtifactStore


def at_hand(stores: Mapping[str, ArtifactStore], kinds: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Names of the platforms whose store has an artifact, by digest; one that no store has is missing.

    Names of folders are read, and nothing is opened.

    Args:
        stores: by platform.
        kinds: kinds to look among.
    """
    found: dict[str, tuple[str, ...]] = {}
    for kind in sorted(set(kinds)):
        for platform, store in stores.items():
            with suppress(FileNotFoundError):
                for name in os.listdir(store.root / "artifacts" / kind):
                    found[name] = (*found.get(name, ()), platform)
    return found


def file_at_hand(stores: Mapping[str, ArtifactStore], kind: str, digest: str, name: str) -> Path | None:
    """One file of an artifact, checked against its digest while the others are not read.

    Args:
        stores: by platform.
        kind: of the artifact.
        digest: of the artifact.
        name: of the file within it.

    Returns:
        Its path; None where no store has it any more.

    Raises:
        StoreError: its bytes are not those that the manifest names.
    """
    for store in stores.values():
        try:
            artifact = store.open(kind, digest, verify=False)
            file = artifact.file(name)
        except StoreError:
            continue
        expected = next(entry.sha256 for entry in artifact.manifest.files if entry.path == name)
        if not file.is_file():
            continue
        if digest_file(file) != expected:
            raise StoreError(
                "the file does not match its digest", file=str(file), fix="run: hier run (it is made again)"
            )
        return file
    return None
