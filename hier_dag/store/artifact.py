"""An artifact and its manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hier_dag.digest import canonical_json, digest_of
from hier_dag.errors import StoreError
from hier_dag.names import is_inside

MANIFEST = "manifest.json"
_STRICT = ConfigDict(extra="forbid", frozen=True)


class FileEntry(BaseModel):
    """One file of an artifact."""

    model_config = _STRICT
    path: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)

    @field_validator("path")
    @classmethod
    def _inside(cls, value: str) -> str:
        if not is_inside(value):
            raise ValueError(f"{value!r} would leave the artifact's folder")
        return value


class Manifest(BaseModel):
    """What an artifact holds and what made it. Its canonical JSON's SHA-256 is the artifact's digest.

    No time, run or host appears in it, so that the same work has the same digest; the registry keeps those.
    """

    model_config = _STRICT
    format: int = 1
    kind: str = Field(pattern="^[a-z0-9_]+/[a-z0-9_]+$")
    partition: str | None = Field(None, pattern="^[a-z0-9_]+$")
    request_key: str = Field(pattern="^[0-9a-f]{64}$")
    code_version: str
    params: dict[str, Any]
    seeds: list[int] = []
    parents: dict[str, str] = Field({}, description="digest of each parent by role")
    inputs: list[dict[str, Any]] = Field([], description="raw files read: location, sha256, bytes")
    environment: str = Field("", description="digest of the environment that made it")
    tables: dict[str, list[dict[str, Any]]] = Field({}, description="columns of each table")
    summary: dict[str, Any] = Field({}, description="counts and figures worth reading without opening a file")
    files: list[FileEntry] = []

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical manifest, in hex."""
        return digest_of(self.model_dump())

    def to_bytes(self) -> bytes:
        """The canonical bytes that the digest is of."""
        return canonical_json(self.model_dump())


@dataclass(frozen=True)
class Artifact:
    """A committed artifact: a folder whose files match its manifest."""

    digest: str
    path: Path
    manifest: Manifest

    def file(self, name: str) -> Path:
        """Path of one of its files.

        Raises:
            StoreError: when the manifest has no such file.
        """
        if name not in {f.path for f in self.manifest.files}:
            raise StoreError(f"artifact {self.digest[:12]} ({self.manifest.kind}) has no file {name!r}")
        return self.path / name

    def files(self, prefix: str) -> list[Path]:
        """Paths of its files under a folder, in name order."""
        return [self.path / f.path for f in self.manifest.files if f.path.startswith(prefix)]

    def json(self, name: str) -> Any:
        """One of its files, parsed as JSON.

        Raises:
            StoreError: when the manifest has no such file, or it is no JSON.
        """
        file = self.file(name)
        try:
            return json.loads(file.read_bytes())
        except (ValueError, RecursionError) as e:
            raise StoreError(f"the file is no JSON: {e}", file=str(file)) from None
