"""The artifact store: immutable folders, each named by the SHA-256 of its manifest."""

from hier_dag.store.artifact import Artifact, FileEntry, Manifest
from hier_dag.store.local import ArtifactStore

__all__ = ["Artifact", "ArtifactStore", "FileEntry", "Manifest"]
