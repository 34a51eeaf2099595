"""Version records at home and at copies against the registry's rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hier_dag.errors import StoreError
from hier_dag.publish.aliases import ANCHOR, AliasRecords, record_of
from hier_dag.publish.reader.records import VersionRecord
from hier_dag.registry import AliasRow, Registry
from hier_dag.registry.anchors import Anchor
from hier_dag.store.failures import reading

_TELL = "run: hier run (it writes what is lacking)"
_MEND = "run: hier copies check --repair for the version in force; else remove the file, then: hier run"
_A_MOMENT = 0.5  # seconds
_FOREIGN = "find out who wrote it; keep each platform's records at a place of their own"


@dataclass(frozen=True)
class Difference:
    """A version that a place tells otherwise than the registry.

    Attributes:
        place: folder or URL.
        domain: the target.
        alias: name of the alias.
        version: its number; 0 where the place as a whole cannot be read.
        file: the record's.
        expected: by the registry.
        found: at the place.
        fix: what to do.
    """

    place: str
    domain: str
    alias: str
    version: int
    file: str
    expected: str
    found: str
    fix: str


@dataclass
class Compared:
    """What a comparison comes to.

    Attributes:
        records: how many were read.
        anchors: events that records say are on the chain.
        differences: all of them, by place.
    """

    records: int = 0
    anchors: list[Anchor] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def compare(registry: Registry, home: Path, copies: Sequence[str]) -> Compared:
    """Reads every record at every place; home must have all versions, a copy at least the one in force.

    What differs is looked at twice: a publisher moves the alias a moment before it writes the record.

    Args:
        registry: of the platform.
        home: folder of its state.
        copies: folders or URLs.

    Raises:
        RegistryError: the registry cannot be read.
    """
    found = _compared(registry, home, copies)
    if found.differences:
        time.sleep(_A_MOMENT)
        again = _compared(registry, home, copies)
        again.differences = [d for d in again.differences if d in found.differences]
        return again
    return found


def _compared(registry: Registry, home: Path, copies: Sequence[str]) -> Compared:
    heads = registry.all_aliases()
    histories = {(h.domain, h.alias): registry.alias_history(h.domain, h.alias) for h in heads}
    found = Compared()
    places: list[str | Path] = [home, *copies]
    for place in places:
        _compare_at(place, histories, place == home, found)
    return found


def _compare_at(
    place: str | Path,
    histories: Mapping[tuple[str, str], Sequence[AliasRow]],
    is_home: bool,
    found: Compared,
) -> None:
    """One place; what cannot be read there hides no other alias."""
    try:
        with reading(place):
            records = AliasRecords(place)
            domains = {*records.domains(), *(domain for domain, _ in histories)}
    except StoreError as error:
        found.differences.append(_unreadable(place, error))
        return
    for domain in sorted(domains):
        try:
            with reading(place):
                there = records.aliases_of(domain)
                for alias in sorted({*there, *(alias for of, alias in histories if of == domain)}):
                    history = histories.get((domain, alias), [])
                    needed = history if is_home else history[:1]
                    of = (domain, alias)
                    found.differences += _differences(records, str(place), of, history, needed, found)
        except StoreError as error:
            found.differences.append(_unreadable(place, error))


def _unreadable(place: str | Path, error: StoreError) -> Difference:
    return Difference(
        str(place), "", "", 0, error.file or str(place), "a place that can be read", error.message,
        error.fix or "look at the place",
    )  # fmt: skip


def _differences(
    records: AliasRecords,
    place: str,
    of: tuple[str, str],
    history: Sequence[AliasRow],
    needed: Sequence[AliasRow],
    found: Compared,
) -> Iterator[Difference]:
    rows = {row.version: row for row in history}
    there = set(records.versions(*of))
    for row in needed:
        if row.version not in there:
            file, _ = records.told(*of, row.version)
            yield Difference(place, *of, row.version, file, _said(row), "no record", _TELL)
    for version in sorted(there):
        expected = _said(rows[version]) if version in rows else "no such version on record"
        try:
            with reading(place):
                file, data = records.told(*of, version)
            record = VersionRecord.from_bytes(data or b"", file)
        except StoreError as error:
            yield Difference(place, *of, version, error.file or place, expected, error.message, _MEND)
            continue
        found.records += 1
        found.anchors += _anchors(record, file)
        if version not in rows:
            yield Difference(place, *of, version, file, expected, _told(record), _FOREIGN)
        elif data != record_of(rows[version]).to_bytes():
            yield Difference(place, *of, version, file, expected, _another(record, rows[version]), _MEND)


def _anchors(record: VersionRecord, file: str) -> Iterator[Anchor]:
    told = record.facts.get(ANCHOR)
    if isinstance(told, dict) and type(told.get("event")) is int:
        yield Anchor(told["event"], str(told.get("hash")), record.created, file)


def _said(row: AliasRow) -> str:
    return f"version {row.version} of {row.alias} of {row.domain}: set {row.digest[:12]}"


def _told(record: VersionRecord) -> str:
    return f"version {record.version} of {record.alias} of {record.domain}: set {record.digest[:12]}"


def _another(record: VersionRecord, row: AliasRow) -> str:
    expected = record_of(row)
    names = [n for n in VersionRecord.__dataclass_fields__ if getattr(record, n) != getattr(expected, n)]
    told = "; ".join(f"{n} is {getattr(record, n)!r}" for n in names)
    return told if len(told) <= 200 else f"another {', '.join(names)}"
