"""Contents of raw files on record: which bytes lay at a location, when they were read, what replaced them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from hier_dag.digest import digest_file
from hier_dag.errors import UsageError
from hier_dag.names import is_digest
from hier_dag.registry.aliases import as_utc
from hier_dag.registry.tables import EventRecord, InputRecord, RequestRecord

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
        first_read: when the first of them was put on record, UTC.
        last_read: when the last was.
        event: number of that event.
        replaced_by: SHA-256 of what was read from the same location last; None where it is this.
        replaced_at: when what came next was read there for the first time, UTC.
    """

    platform: str
    location: str
    sha256: str
    readers: int
    first_read: datetime
    last_read: datetime
    event: int
    replaced_by: str | None = None
    replaced_at: datetime | None = None


def contents_of(s: Session, text: str) -> list[Content]:
    """The contents that a text names, by platform and location, oldest first.

    Args:
        s: a transaction.
        text: a location or the end of one, a path to a file, a SHA-256 or its beginning (4 digits or more).

    Raises:
        UsageError: it names none, or files at several locations.
    """
    column = InputRecord.location
    found = _contents(s, column.in_(_suffixes(text)))
    if not found and _HEX.fullmatch(text.lower()):
        found = _by_digest(s, text.lower())
    if not found and os.path.isfile(text):
        found = _by_digest(s, digest_file(Path(text)))
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
    some = s.scalars(select(column).order_by(InputRecord.event.desc(), InputRecord.position).limit(3)).all()
    raise UsageError(
        f"no artifact on record read a raw file called {text!r}.",
        fix=f"give a location such as {', '.join(sorted(set(some)))}, or the SHA-256 of the file's bytes"
        if some
        else "run: hier run",
    )


def _suffixes(text: str) -> list[str]:
    """What may be the declared location of a path: the text, and every end of the whole path."""
    whole = PurePosixPath(os.path.abspath(text)).parts[1:]
    return [text, *("/".join(whole[n:]) for n in range(len(whole))), os.path.abspath(text)]


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
    """Contents that satisfy a condition, each with what came after it at its location."""
    first, last = func.min(InputRecord.event), func.max(InputRecord.event)
    # By who asked for the reader, since platforms with equal files share one artifact.
    mine = (
        select(RequestRecord.platform, InputRecord.location, InputRecord.sha256)
        .join(RequestRecord, RequestRecord.digest == InputRecord.artifact)
        .group_by(RequestRecord.platform, InputRecord.location, InputRecord.sha256)
    )
    rows = mine.add_columns(func.count(InputRecord.artifact.distinct()), first, last)
    named = [tuple(row) for row in s.execute(rows.where(which).order_by(first))]
    if not named:
        return []
    places = sorted({row[1] for row in named})
    every = s.execute(mine.add_columns(first, last).where(InputRecord.location.in_(places)))
    history = [tuple(row) for row in every]
    times = _times(s, {row[n] for row in (*named, *history) for n in (-2, -1)})
    found = []
    for platform, location, sha256, readers, begin, end in named:
        after = [h for h in history if h[:2] == (platform, location) and h[2] != sha256 and h[3] > begin]
        newest = max(after, key=lambda h: h[4], default=None)
        replaced = newest is not None and newest[4] > end
        found.append(
            Content(
                platform=platform,
                location=location,
                sha256=sha256,
                readers=readers,
                first_read=times[begin],
                last_read=times[end],
                event=end,
                replaced_by=newest[2] if newest is not None and replaced else None,
                replaced_at=times[min(h[3] for h in after)] if replaced else None,
            )
        )
    return sorted(found, key=lambda c: (c.platform, c.location, c.event))


def _times(s: Session, events: Sequence[int] | set[int]) -> dict[int, datetime]:
    """When events were put on record."""
    numbers, found = sorted(events), {}
    for begin in range(0, len(numbers), 500):
        some = EventRecord.seq.in_(numbers[begin : begin + 500])
        found.update(
            {seq: as_utc(at) for seq, at in s.execute(select(EventRecord.seq, EventRecord.at).where(some))}
        )
    return found
