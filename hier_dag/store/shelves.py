"""What lies in a store: committed artifacts, as their folders and manifests say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hier_dag.names import is_digest
from hier_dag.store.artifact import MANIFEST
from hier_dag.store.failures import reading
from hier_dag.store.folders import folders


@dataclass(frozen=True)
class Present:
    """A committed artifact's folder.

    Attributes:
        kind: by its place.
        partition: by its manifest; None where it has none or cannot be read.
        digest: its name.
        path: the folder.
        used_at: when it was committed or last opened, UTC.
        parents: digests that its manifest names.
    """

    kind: str
    partition: str | None
    digest: str
    path: Path
    used_at: datetime
    parents: frozenset[str]


class Shelves:
    """Artifacts of one store, laid out as `<kind>/<digest>/`. Manifests never change: each is read once.

    Args:
        root: of the store.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._manifests: dict[tuple[str, str], tuple[str | None, frozenset[str]]] = {}

    def look(self, within: Path | None = None) -> list[Present]:
        """What is there now, by kind and digest. Links are passed over: what they lead to is not the store's.

        Args:
            within: another folder that is laid out so, in place of the store's.

        Raises:
            StorageError: a folder or a manifest cannot be read: what it holds is unknown, not absent.
        """
        return list(self._look(within or self.root / "artifacts"))

    def place(self, kind: str, digest: str) -> Path:
        """Where an artifact of the store belongs."""
        return self.root / "artifacts" / kind / digest

    def _look(self, root: Path) -> Iterator[Present]:
        found = folders(root)
        if found.unread:
            raise found.unread[0]
        for folder in found.artifacts:
            # Inside `reading`: one that was taken away since is no failure.
            with reading(folder.path), suppress(FileNotFoundError, NotADirectoryError):
                at = datetime.fromtimestamp(folder.path.stat().st_mtime, UTC)
                partition, parents = self._manifest(folder.kind, folder.path)
                yield Present(folder.kind, partition, folder.digest, folder.path, at, parents)

    def _manifest(self, kind: str, folder: Path) -> tuple[str | None, frozenset[str]]:
        key = (kind, folder.name)
        if key not in self._manifests:
            self._manifests[key] = _read(folder)
        return self._manifests[key]


def _read(folder: Path) -> tuple[str | None, frozenset[str]]:
    """Partition and parents that a manifest names; a damaged one names none, the registry still does.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        parents = manifest.get("parents", {}).values()
        return manifest.get("partition"), frozenset(p for p in parents if is_digest(p))
    except (FileNotFoundError, IsADirectoryError, ValueError, AttributeError, RecursionError):
        return None, frozenset()
