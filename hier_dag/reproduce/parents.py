"""Where a build that is done again finds its parents: in the store, or among those built again before it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hier_dag.errors import StoreError
from hier_dag.store import Artifact, ArtifactStore


class Parents(ArtifactStore):
    """A scratch store that opens, by recorded digest, what was built again or what another store holds.

    Args:
        root: of the scratch store.
        made: artifacts built again by the digest of the recorded ones that they stand for.
        below: the store of the recorded ones; None where every parent must have been built again.
    """

    def __init__(self, root: Path, made: Mapping[str, Artifact], below: ArtifactStore | None) -> None:
        super().__init__(root)
        self._made, self._below = made, below

    def open(self, kind: str, digest: str, *, verify: bool = True) -> Artifact:
        """Opens a parent, its files checked against its digest.

        Raises:
            StoreError: it is neither there nor was it built again, or a byte of it differs.
        """
        if digest in self._made:
            return self._made[digest]
        if super().has(kind, digest):
            return super().open(kind, digest, verify=verify)
        if self._below is None:
            raise StoreError(f"{kind} {digest[:12]} was not built again before what needs it")
        return self._below.open(kind, digest, verify=verify)

    def has(self, kind: str, digest: str) -> bool:
        """Whether `open` would find a parent."""
        below = self._below is not None and self._below.has(kind, digest)
        return digest in self._made or super().has(kind, digest) or below
