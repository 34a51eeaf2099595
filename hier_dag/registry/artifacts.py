"""Artifacts on record: the manifest, and what it deliberately leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from hier_dag.registry.aliases import as_utc
from hier_dag.registry.chain import event_of
from hier_dag.registry.tables import ArtifactRecord, EnvironmentRecord, EventRecord


@dataclass(frozen=True)
class ArtifactRow:
    """A registered artifact, with what the manifest deliberately leaves out.

    Attributes:
        event: number of its event in the registry's log.
    """

    digest: str
    kind: str
    partition: str | None
    code_version: str
    code_commit: str
    environment: str
    run_id: str
    created_at: datetime
    seconds: float
    bytes: int
    manifest: dict[str, Any]
    who: str = ""
    event: int = 0


def artifact_of(digest: str) -> Select[tuple[ArtifactRecord, str]]:
    """An artifact with its event's entry."""
    return (
        select(ArtifactRecord, EventRecord.entry)
        .join(EventRecord, EventRecord.seq == ArtifactRecord.event)
        .where(ArtifactRecord.digest == digest)
    )


def artifact_row_of(r: ArtifactRecord, entry: str) -> ArtifactRow:
    """The record as a plain row, manifest and all."""
    own = {k: getattr(r, k) for k in ArtifactRow.__annotations__ if k not in ("manifest", "created_at")}
    manifest = dict(event_of(entry).body["manifest"])
    return ArtifactRow(**own, created_at=as_utc(r.created_at), manifest=manifest)


def environment_of(digest: str) -> Select[tuple[str]]:
    """The entry of the event that put an environment on record."""
    return (
        select(EventRecord.entry)
        .join(EnvironmentRecord, EnvironmentRecord.event == EventRecord.seq)
        .where(EnvironmentRecord.digest == digest)
    )
