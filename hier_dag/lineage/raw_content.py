"""Contents of raw files on record: which bytes lay at a location, when they were read, what replaced them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from hier_dag.digest import digest_file
from hier_dag.errors import UsageError
from hier_dag.names import is_digest
from hier_dag.registry.aliases import as_utc
from hier_dag.registry.tables import InputRecord, RequestRecord

_SHOWN = 8
_HEX = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True)
class Content:
    """The bytes that once lay at a location of a platform.

    Attributes:
        platform: whose file it is.
        location: as declared, relative to the platform's data.
        sha256: of the bytes.
        readers: how many artifacts read it.
        first_read: when one of them was asked for first, UTC.
        last_read: when one was last; an artifact that is there already is not made again then.
        replaced_by: SHA-256 of what lay there when the location was last read; None where it is this.
        replaced_at: when something else was read there for the first time since, UTC.
    """

    platform: str
    location: str
    sha256: str
    readers: int
    first_read: datetime
    last_read: datetime
    replaced_by: str | None = None
    replaced_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """As a JSON-serialisable record."""
        values = asdict(self).items()
        return {key: v.isoformat() if isinstance(v, datetime) else v for key, v in values}


@dataclass(frozen=True)
class _Read:
    """A request whose answer read a file."""

    platform: str
    location: str
    sha256: str
    artifact: str
    at: datetime


def contents_of(s: Session, text: str) -> list[Content]:
    """The contents that a text names, by platform and location, those that were read first in front.

    A file that is there is known by its bytes: another of the same name is not what was read. One that lies
    where it was read, so that its path ends with the location, means all that ever lay there.

    Args:
        s: a transaction.
        text: a location or a part of one, a path to a file, a SHA-256 or its beginning (4 digits or more).

    Raises:
        UsageError: it names none, a file of other bytes than any on record, or files at several locations.
    """
    column = InputRecord.location
    found = _contents(s, column.in_([text, os.path.normpath(text), os.path.abspath(text)]))
    if not found and _HEX.fullmatch(text.lower()):
        found = _by_digest(s, text.lower())
    if not found and os.path.isfile(text):
        return _of_file(s, text)
    if not found and text:
        found = _contents(s, column.contains(text, autoescape=True))
        names = sorted({c.location for c in found})
        if len(names) > 1:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            raise UsageError(
                f"{text!r} is part of several locations: {', '.join(names[:_SHOWN])}{more}.",
                fix="give one of them, or a SHA-256",
            )
    if found:
        return found
    newest = select(column).order_by(InputRecord.event.desc(), InputRecord.position).limit(3)
    some = _namesakes(s, text) or s.scalars(newest).all()
    raise UsageError(
        f"no artifact on record read a raw file called {text!r}.",
        fix=f"give a location such as {', '.join(sorted(set(some)))}, or the SHA-256 of the file's bytes"
        if some
        else "run: hier run",
    )


def _of_file(s: Session, path: str) -> list[Content]:
    """Contents of a file's bytes; of the location that its path ends with, where they were read there.

    Raises:
        UsageError: no artifact read such bytes.
    """
    digest = digest_file(Path(path))
    found = _by_digest(s, digest)
    ends = _ends(path)
    if here := {c.location for c in found if c.location in ends}:
        return _contents(s, InputRecord.location.in_(here))
    if found:
        return found
    alike = _namesakes(s, path)
    raise UsageError(
        f"no artifact on record read this file: its bytes (SHA-256 {digest[:12]}) are others than any that "
        "were read.",
        file=path,
        fix=f"ask for what was read, by its location as declared: {', '.join(alike)}"
        if alike
        else "give a location as declared, or the SHA-256 of what was read",
    )


def _ends(path: str) -> set[str]:
    """Every end of a whole path: one of them is the declared location of a file that was read there."""
    whole = PurePosixPath(os.path.abspath(path)).parts[1:]
    return {"/".join(whole[n:]) for n in range(len(whole))}


def _namesakes(s: Session, path: str) -> list[str]:
    """Locations on record that a path ends with, else those of files of its name; the first few."""
    column = InputRecord.location
    name = PurePosixPath(path).name
    if not name:
        return []
    last = (column == name) | column.endswith(f"/{name}", autoescape=True)
    alike = sorted(s.scalars(select(column).where(last).distinct()))
    ends = _ends(path)
    return [one for one in alike if one in ends] or alike[:_SHOWN]


def _by_digest(s: Session, prefix: str) -> list[Content]:
    """Contents whose SHA-256 begins so.

    Raises:
        UsageError: contents of different bytes do.
    """
    column = InputRecord.sha256
    # `g` follows every hexadecimal digit in every collation, so that the index's own order can be used.
    within = column == prefix if is_digest(prefix) else (column >= prefix) & (column < prefix + "g")
    found = _contents(s, within)
    different = sorted({c.sha256 for c in found})
    if len(different) > 1:
        listed = ", ".join(f"{c.sha256[:12]} ({c.location})" for c in found[:_SHOWN])
        raise UsageError(f"{prefix!r} begins the SHA-256 of several files: {listed}.", fix="give more of it")
    return found


def _contents(s: Session, which: ColumnElement[bool]) -> list[Content]:
    """Contents that satisfy a condition, by platform and location, those that were read first in front."""
    columns = (InputRecord.location, InputRecord.sha256)
    named = {tuple(row) for row in s.execute(select(*columns).where(which).distinct())}
    if not named:
        return []
    # By who asked for the reader, since platforms with equal files share one artifact.
    asked = RequestRecord
    reads = (
        select(asked.platform, *columns, InputRecord.artifact, asked.created_at)
        .join(asked, asked.digest == InputRecord.artifact)
        .where(InputRecord.location.in_({location for location, _ in named}))
        .order_by(asked.platform, InputRecord.location, asked.event)
    )
    found: list[Content] = []
    for (_, location), group in groupby(map(_read, s.execute(reads)), lambda r: (r.platform, r.location)):
        found += (c for c in _history(list(group)) if (location, c.sha256) in named)
    return found


def _read(row: Any) -> _Read:
    platform, location, sha256, artifact, at = row
    return _Read(platform, location, sha256, artifact, as_utc(at))


def _history(reads: Sequence[_Read]) -> Iterator[Content]:
    """The contents of one location.

    Args:
        reads: every read of it, in order.
    """
    last = {read.sha256: number for number, read in enumerate(reads)}
    for sha256 in dict.fromkeys(read.sha256 for read in reads):
        mine = [read for read in reads if read.sha256 == sha256]
        after = reads[last[sha256] + 1 :]
        yield Content(
            platform=mine[0].platform,
            location=mine[0].location,
            sha256=sha256,
            readers=len({read.artifact for read in mine}),
            first_read=mine[0].at,
            last_read=mine[-1].at,
            replaced_by=after[-1].sha256 if after else None,
            replaced_at=after[0].at if after else None,
        )
