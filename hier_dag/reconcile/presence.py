"""Artifacts without a row, and rows without an artifact."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import fsspec
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from hier_dag.errors import StoreError
from hier_dag.names import title_of
from hier_dag.pipeline.outbox import noted
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.publish.fetching import read_manifest
from hier_dag.publish.fsspec_places import filesystem, place_errors
from hier_dag.publish.reader.layout import set_folder
from hier_dag.registry import Registry
from hier_dag.registry.decisions import COLLECTED
from hier_dag.registry.tables import ArtifactRecord, DecisionRecord, ParentRecord, RequestRecord
from hier_dag.retention.leftovers import TAKEN
from hier_dag.store.failures import StorageError, reading
from hier_dag.store.folders import folders
from hier_dag.store.names import linked
from hier_dag.store.staging import STAGING


@dataclass(frozen=True)
class Row:
    """An artifact of a platform, by its row.

    Attributes:
        digest: its digest.
        kind: its kind.
        partition: its partition, if it has one.
        used: number of the event of its newest request; 0 where the platform never asked for it itself.
    """

    digest: str
    kind: str
    partition: str | None
    used: int

    @property
    def title(self) -> str:
        """How a person calls it: kg/graph, raw/events[food]."""
        return title_of(self.kind, self.partition)


@dataclass(frozen=True)
class Orphan:
    """A parent that is on no record.

    Attributes:
        child: digest of the artifact that was made from it.
        role: what it was to that.
        parent: its digest.
    """

    child: str
    role: str
    parent: str


@dataclass(frozen=True)
class Presence:
    """How a store and a registry fit together.

    Attributes:
        rows: how many artifacts of the platform are on record.
        present: how many artifacts the store holds.
        unrecorded: folders of artifacts without a row and without a note.
        pending: folders of artifacts without a row that the note of an ended process vouches for.
        misplaced: folders whose digest is on record under another kind.
        missing: rows whose artifact is nowhere, and was not removed on record.
        orphans: parents without a row.
        elsewhere: digests of sets that are at a copy alone.
        unread: folders and notes that cannot be read; whether a row's artifact is there is not known then.
    """

    rows: int
    present: int
    unrecorded: tuple[Path, ...]
    pending: tuple[Path, ...]
    misplaced: tuple[Path, ...]
    missing: tuple[Row, ...]
    orphans: tuple[Orphan, ...]
    elsewhere: tuple[str, ...]
    unread: tuple[StorageError, ...]


def compare(root: Path, registry: Registry, copies: Sequence[str] = ()) -> Presence:
    """Compares a store with a registry while others may be at work on both.

    The order matters: a note is there before its artifact and goes after its row is there, so that whoever
    looks at artifacts, notes and rows in turn takes no artifact for one that nobody knows of.

    Args:
        root: of the store.
        registry: of the platform.
        copies: places where sets are looked for that the store lacks.

    Raises:
        RegistryError: the registry cannot be read.
        StorageError: the disk refuses.
    """
    there, artifacts = folders(root / "artifacts"), root / "artifacts"
    present = {(a.kind, a.digest) for a in there.artifacts}
    notes = noted(root)
    rows, orphans = registry.read(lambda s: (_rows(s, registry.platform), _orphans(s, registry.platform)))
    kinds = registry.read(_kinds)
    unknown = [a for a in there.artifacts if a.digest not in kinds]
    hidden = {Path(error.file or artifacts) for error in there.unread}
    absent = [row for row in rows if (row.kind, row.digest) not in present]
    absent = [row for row in absent if not _is_hidden(artifacts, row, hidden) and not _is_there(root, row)]
    gone = registry.read(_collected) if absent else {}
    absent = [row for row in absent if gone.get(row.digest, -1) < row.used]
    elsewhere = {row.digest for row in absent if row.kind == PUBLISHED and _at_a_copy(row.digest, copies)}
    # A note that cannot be read may vouch for any of them.
    unrecorded = [] if notes.unread else [a.path for a in unknown if a.digest not in notes.held]
    return Presence(
        rows=len(rows),
        present=len(present),
        unrecorded=tuple(unrecorded),
        pending=tuple(a.path for a in unknown if notes.held.get(a.digest) is False),
        misplaced=tuple(a.path for a in there.artifacts if kinds.get(a.digest, a.kind) != a.kind),
        missing=tuple(row for row in absent if row.digest not in elsewhere),
        orphans=tuple(orphans),
        elsewhere=tuple(sorted(elsewhere)),
        unread=(*there.unread, *notes.unread),
    )


def _rows(s: Session, platform: str) -> list[Row]:
    """Artifacts that a platform asked for, and those that these were made from."""
    asked = (
        select(RequestRecord.digest, func.max(RequestRecord.event).label("used"))
        .where(RequestRecord.platform == platform)
        .group_by(RequestRecord.digest)
        .subquery()
    )
    parents = select(ParentRecord.parent).join(asked, asked.c.digest == ParentRecord.child)
    about = (ArtifactRecord.digest, ArtifactRecord.kind, ArtifactRecord.partition)
    query = (
        select(*about, func.coalesce(asked.c.used, 0))
        .outerjoin(asked, asked.c.digest == ArtifactRecord.digest)
        .where(or_(asked.c.digest.is_not(None), ArtifactRecord.digest.in_(parents)))
    )
    return [Row(*row) for row in s.execute(query.order_by(ArtifactRecord.event)).tuples()]


def _orphans(s: Session, platform: str) -> list[Orphan]:
    asked = select(RequestRecord.digest).where(RequestRecord.platform == platform)
    query = (
        select(ParentRecord.child, ParentRecord.role, ParentRecord.parent)
        .outerjoin(ArtifactRecord, ArtifactRecord.digest == ParentRecord.parent)
        .where(ArtifactRecord.digest.is_(None), ParentRecord.child.in_(asked))
    )
    return [Orphan(*row) for row in s.execute(query.order_by(ParentRecord.event, ParentRecord.role)).tuples()]


def _kinds(s: Session) -> Mapping[str, str]:
    """Kind of every artifact that is on record, for whichever platform."""
    return dict(s.execute(select(ArtifactRecord.digest, ArtifactRecord.kind)).tuples().all())


def _collected(s: Session) -> Mapping[str, int]:
    """Number of the event by which each artifact was last removed."""
    query = select(DecisionRecord.subject, func.max(DecisionRecord.event))
    query = query.where(DecisionRecord.kind == COLLECTED).group_by(DecisionRecord.subject)
    return dict(s.execute(query).tuples().all())


def _is_hidden(artifacts: Path, row: Row, unread: Collection[Path]) -> bool:
    """Whether an artifact lies in a folder that cannot be read, if it lies anywhere."""
    group = artifacts / row.kind
    return not {artifacts, group.parent, group}.isdisjoint(unread)


def _is_there(root: Path, row: Row) -> bool:
    """Whether an artifact came since it was looked for, or a clean-up has it in its hands."""
    name, artifacts = f"{row.kind}/{row.digest}", root / "artifacts"
    with reading(artifacts / name):
        if linked(artifacts, name) is None and (artifacts / name).is_dir():
            return True
        return any((root / STAGING).glob(f"{TAKEN}-*/{name}"))


def _at_a_copy(digest: str, copies: Sequence[str]) -> bool:
    for place in copies:
        with suppress(StoreError), place_errors(place):  # a copy that cannot be asked is told by its records
            fs, folder = filesystem(place)
            fs = fsspec.filesystem("file") if fs is None else fs
            read_manifest(fs, posixpath.join(folder, set_folder(digest)), digest)
            return True
    return False
