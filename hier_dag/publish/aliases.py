"""The writing side of aliases: one immutable record a version; the highest number is in force.

A record is written whole (renamed into place on a local folder, one PUT on an object store) under a number
that the registry gave out once. So an alias moves in one atomic step on either, never moves back, and needs
no lock and no conditional write; a record that a crash left out is written again from the registry.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

import fsspec
from fsspec import AbstractFileSystem

from hier_dag.durable import replace_file
from hier_dag.errors import StoreError
from hier_dag.publish.reader.layout import RECORDS
from hier_dag.publish.reader.records import VersionRecord, record_path
from hier_dag.registry import AliasRow
from hier_dag.store.failures import told


class AliasRecords:
    """Version records below a root.

    Args:
        root: a local folder, or a URL that fsspec knows.
    """

    def __init__(self, root: str | Path) -> None:
        self.fs, self.root = filesystem(root)

    def write(self, record: VersionRecord) -> None:
        """Writes a version's record; the same again changes nothing.

        Raises:
            StoreError: another record has this number already, a link stands in the way, or the disk refuses.
        """
        data, name = record.to_bytes(), _path(record)  # a record that readers would refuse goes no further
        there = self._read(name)
        if there == data:
            return
        if there is not None:
            raise StoreError(
                f"version {record.version} of {record.alias} is another one here: was it published from "
                "another registry?",
                domain=record.domain,
                file=posixpath.join(str(self.root), name),
                fix="publish from the registry that numbers this place's versions, or to an empty place",
            )
        self._replace(record)

    def lacks(self, row: AliasRow) -> bool:
        """Whether the record of a registered version is not here, or is damaged."""
        try:
            return self._read(_path(row)) != record_of(row).to_bytes()
        except StoreError:
            return True

    def catch_up(self, rows: Sequence[AliasRow]) -> list[int]:
        """Writes the records that a crash left out, and the newest one again if it is damaged.

        Args:
            rows: every move of one alias, newest first.

        Returns:
            The versions written, oldest first.

        Raises:
            StoreError: the disk refuses.
        """
        if not rows:
            return []
        there = self._names(posixpath.dirname(_path(rows[0])))
        missing = [row for row in rows if posixpath.basename(_path(row)) not in there]
        if rows[0] not in missing and self.lacks(rows[0]):
            missing.append(rows[0])
        for row in sorted(missing, key=lambda row: row.version):
            self._replace(record_of(row))
        return sorted(row.version for row in missing)

    def _replace(self, record: VersionRecord) -> None:
        data, name = record.to_bytes(), _path(record)
        place = posixpath.join(self.root, name)
        with told(place):
            if self.fs is not None:
                self.fs.pipe_file(place, data)
                return
            path = self._folder(posixpath.dirname(name)) / posixpath.basename(name)
            if path.is_symlink():
                path.unlink()
            replace_file(path, data)

    def _names(self, folder: str) -> set[str]:
        if self.fs is None:
            path = self._folder(folder)
            return {p.name for p in path.iterdir()} if path.is_dir() else set()
        place = posixpath.join(self.root, folder)
        found = self.fs.ls(place, detail=False, refresh=True) if self.fs.exists(place) else []
        return {posixpath.basename(name) for name in found}

    def _read(self, name: str) -> bytes | None:
        if self.fs is not None:
            place = posixpath.join(self.root, name)
            return bytes(self.fs.cat_file(place)) if self.fs.exists(place) else None
        path = self._folder(posixpath.dirname(name)) / posixpath.basename(name)
        if path.is_symlink():
            raise _linked(path)
        return path.read_bytes() if path.is_file() else None

    def _folder(self, name: str) -> Path:
        """A folder of records on this machine; `live` itself may lie elsewhere, nothing below it may."""
        path, *parts = Path(self.root, RECORDS), *name.removeprefix(f"{RECORDS}/").split("/")
        for part in parts:
            path = path / part
            if path.is_symlink():
                raise _linked(path)
        return path


def _linked(path: Path) -> StoreError:
    return StoreError("a link stands where a version's record belongs", file=str(path), fix="remove it")


def _path(of: AliasRow | VersionRecord) -> str:
    return record_path(of.domain, of.alias, of.version)


def record_of(row: AliasRow) -> VersionRecord:
    """What readers are told of a registered version."""
    return VersionRecord(
        domain=row.domain,
        alias=row.alias,
        version=row.version,
        digest=row.digest,
        action=row.action,
        change=row.change,
        space=row.space or None,
        who=row.who,
        why=row.why,
        created=row.created_at.isoformat(),
        facts=row.facts,
    )


def filesystem(root: str | Path) -> tuple[AbstractFileSystem | None, str]:
    """The file system of a root and the root on it; None stands for this machine's own."""
    if isinstance(root, Path) or "://" not in root:
        return None, str(root)
    fs, path = fsspec.core.url_to_fs(root)
    return (None, str(path)) if "file" in _protocols(fs) else (fs, str(path))


def _protocols(fs: AbstractFileSystem) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)
