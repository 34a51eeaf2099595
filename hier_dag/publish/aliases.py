"""The writing side of aliases: one immutable record a version; the highest number is in force.

A record is written whole (renamed into place on a local folder, one PUT on an object store) under a number
that the registry gave out once. So an alias moves in one atomic step on either, never moves back, and needs
no lock and no conditional write; a record that a crash left out is written again from the registry.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

from hier_dag.durable import replace_file
from hier_dag.errors import StoreError
from hier_dag.names import is_name
from hier_dag.publish.fsspec_places import filesystem, place_errors
from hier_dag.publish.reader.layout import RECORDS
from hier_dag.publish.reader.records import VersionRecord, record_path
from hier_dag.registry import AliasRow
from hier_dag.store.failures import told

ANCHOR = "registry"
"""Key in a record's facts: number and hash of the move's event in the registry."""


class AliasRecords:
    """Version records below a root.

    Args:
        root: a local folder, or a URL that fsspec knows.
    """

    def __init__(self, root: str | Path) -> None:
        with place_errors(str(root)):
            self.fs, self.root = filesystem(root)

    def lacks(self, row: AliasRow) -> bool:
        """Whether the record of a registered version is not here, or is damaged."""
        try:
            return self._read(_path(row)) != record_of(row).to_bytes()
        except StoreError:
            return True

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
            raise self._another(record)
        self._replace(record)

    def highest(self, domain: str, alias: str) -> int:
        """The highest version that readers find here; 0 for none."""
        return max(self.versions(domain, alias), default=0)

    def versions(self, domain: str, alias: str) -> list[int]:
        """Versions that have a record here, in any order."""
        numbers = [name[:-5] for name in self._names(_folder(domain, alias)) if name.endswith(".json")]
        return [int(number) for number in numbers if number.isdigit()]

    def aliases(self) -> list[tuple[str, str]]:
        """Domain and name of every alias that has records here."""
        return [(domain, alias) for domain in self.domains() for alias in self.aliases_of(domain)]

    def domains(self) -> list[str]:
        """Domains that have a folder here, by name."""
        return sorted(filter(is_name, self._names(RECORDS)))

    def aliases_of(self, domain: str) -> list[str]:
        """Aliases of a domain that have records here, by name."""
        aliases = sorted(filter(is_name, self._names(f"{RECORDS}/{domain}")))
        return [alias for alias in aliases if self.versions(domain, alias)]

    def told(self, domain: str, alias: str, version: int) -> tuple[str, bytes | None]:
        """File and bytes of a version's record; None where there is none.

        Raises:
            StoreError: it cannot be read, or is a link.
        """
        name = record_path(domain, alias, version)
        return posixpath.join(str(self.root), name), self._read(name)

    def check(self, rows: Sequence[AliasRow]) -> None:
        """Looks whether what is here was numbered by the registry that the rows are of.

        Args:
            rows: every move of one alias, newest first.

        Raises:
            StoreError: it was not: another platform publishes here, or another registry did.
        """
        for row in rows[:1]:
            there = self._record(row)
            if there is not None and there != record_of(row):
                raise self._another(row)

    def catch_up(self, rows: Sequence[AliasRow]) -> list[int]:
        """Writes the records that a crash left out, and the newest one again if it is damaged.

        Args:
            rows: every move of one alias, newest first.

        Returns:
            The versions written, oldest first.

        Raises:
            StoreError: the disk refuses, or the newest version is another one here.
        """
        if not rows:
            return []
        self.check(rows)
        there = self._names(_folder(rows[0].domain, rows[0].alias))
        missing = [row for row in rows if posixpath.basename(_path(row)) not in there]
        if rows[0] not in missing and self.lacks(rows[0]):
            self._replace(record_of(rows[0]))  # damaged
            return sorted({rows[0].version, *self._written(missing)})
        return sorted(self._written(missing))

    def _written(self, rows: Sequence[AliasRow]) -> list[int]:
        for row in rows:  # the newest first: it is what readers follow
            self.write(record_of(row))
        return [row.version for row in rows]

    def _another(self, of: AliasRow | VersionRecord) -> StoreError:
        return StoreError(
            f"version {of.version} of {of.alias} is another one here: was it published from another "
            "registry, or by another platform?",
            domain=of.domain,
            file=posixpath.join(str(self.root), _path(of)),
            fix="publish each platform to a place of its own (stages.publish.copies, HIER_HOME)",
        )

    def _record(self, row: AliasRow) -> VersionRecord | None:
        """The record that is here under a row's number; None where there is none, or a damaged one."""
        try:
            data = self._read(_path(row))
            return None if data is None else VersionRecord.from_bytes(data, _path(row))
        except StoreError:
            return None

    def _replace(self, record: VersionRecord) -> None:
        data, name = record.to_bytes(), _path(record)
        place = posixpath.join(self.root, name)
        if self.fs is not None:
            with place_errors(place):
                self.fs.pipe_file(place, data)
            return
        with told(place):
            path = self._folder(posixpath.dirname(name)) / posixpath.basename(name)
            if path.is_symlink():
                path.unlink()
            replace_file(path, data)

    def _names(self, folder: str) -> set[str]:
        if self.fs is None:
            path = self._folder(folder)
            return {p.name for p in path.iterdir()} if path.is_dir() else set()
        place = posixpath.join(self.root, folder)
        with place_errors(place):
            found = self.fs.ls(place, detail=False, refresh=True) if self.fs.exists(place) else []
            return {posixpath.basename(name) for name in found}

    def _read(self, name: str) -> bytes | None:
        if self.fs is not None:
            place = posixpath.join(self.root, name)
            with place_errors(place):
                return bytes(self.fs.cat_file(place)) if self.fs.exists(place) else None
        path = self._folder(posixpath.dirname(name)) / posixpath.basename(name)
        if path.is_symlink():
            raise _linked(path)
        return path.read_bytes() if path.is_file() else None

    def _folder(self, name: str) -> Path:
        """A folder of records on this machine; `live` itself may lie elsewhere, nothing below it may."""
        path = Path(self.root, RECORDS)
        for part in name.split("/")[1:]:
            path = path / part
            if path.is_symlink():
                raise _linked(path)
        return path


def _linked(path: Path) -> StoreError:
    return StoreError("a link stands where a version's record belongs", file=str(path), fix="remove it")


def _path(of: AliasRow | VersionRecord) -> str:
    return record_path(of.domain, of.alias, of.version)


def _folder(domain: str, alias: str) -> str:
    return posixpath.dirname(record_path(domain, alias, 1))


def record_of(row: AliasRow) -> VersionRecord:
    """What readers are told of a registered version.

    With it goes where the registry's chain was at the move: so every record, at copies too, is an anchor.
    """
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
        facts=row.facts | ({ANCHOR: {"event": row.event, "hash": row.hash}} if row.hash else {}),
    )
