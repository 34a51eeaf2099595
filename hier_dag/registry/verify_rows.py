"""Every row of the index tables against the event it follows from, and the facts of checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, except_, or_, select
from sqlalchemy.orm import Session

from hier_dag.registry.chain import Event, hash_of
from hier_dag.registry.projections import rows_of
from hier_dag.registry.raw_rows import Row, moment, raw_rows
from hier_dag.registry.tables import PROJECTIONS, CheckRecord, DetailRecord
from hier_dag.registry.verdict import LogVerdict, short

_TABLES: tuple[Table, ...] = tuple(p.__table__ for p in PROJECTIONS)  # type: ignore[misc]
Key = tuple[Any, ...]


def check_rows(s: Session, found: LogVerdict, after: int, last: int, events: Sequence[Event]) -> None:
    """Compares the rows of a stretch of events with what these stand for.

    Args:
        s: a transaction.
        found: where problems are noted.
        after: number of the event before the stretch.
        last: number of its last event.
        events: those of the stretch that can be read.
    """
    wanted: dict[str, dict[Key, Row]] = {table.name: {} for table in _TABLES}
    for event in events:
        try:
            for record in rows_of(event):
                table: Table = record.__table__  # type: ignore[assignment]
                row = {c.name: moment(getattr(record, c.name)) for c in table.columns}
                wanted[table.name][_key(table, row)] = row
        except (LookupError, TypeError, ValueError, AttributeError) as e:
            told = f"it does not say what {event.kind!r} has to: {e!r}"
            found.tell("entry", event.seq, "events", told)
    for t in _TABLES:
        stretch = raw_rows(s, t, t.c.event > after, t.c.event <= last)
        here: dict[Key, Row] = {}
        for row in stretch:
            if here.setdefault(_key(t, row), row) is not row:
                found.tell("added row", row["event"], t.name, f"row {short(_key(t, row))} is there twice")
        _compare(found, t.name, wanted[t.name], here)


def check_details(s: Session, found: LogVerdict, after: int, last: int, redacted: set[str]) -> None:
    """Compares the facts of a stretch's checks with their digests.

    Args:
        s: a transaction.
        found: where problems are noted.
        after: number of the event before the stretch.
        last: number of its last event.
        redacted: digests of facts that a redaction took away.
    """
    query = (
        select(CheckRecord.event, CheckRecord.name, CheckRecord.facts, DetailRecord.digest, DetailRecord.body)
        .outerjoin(DetailRecord, DetailRecord.digest == CheckRecord.facts)
        .where(CheckRecord.event > after, CheckRecord.event <= last)
    )
    for seq, name, digest, there, body in s.execute(query).tuples():
        wrong = ""
        if there is None:
            wrong = "are missing"
        elif body is None:
            wrong = "" if digest in redacted else "were taken away without a redaction"
        elif digest in redacted:
            wrong = "are there again, after a redaction"
        elif hash_of(str(body)) != digest:
            wrong = "were changed"
        if wrong:
            found.tell("detail", seq, "details", f"the facts of check {short(name)} {wrong}: {short(digest)}")


def check_outside(s: Session, found: LogVerdict, last: int) -> None:
    """Tells rows that no event can have put there.

    Args:
        s: a transaction.
        found: where problems are noted.
        last: number of the newest event.
    """
    for table in _TABLES:
        number = table.c.event
        for row in raw_rows(s, table, or_(number < 1, number > last, number.is_(None))):
            found.tell("added row", 0, table.name, f"row {short(_key(table, row))} follows from no event")
    for digest in s.scalars(except_(select(DetailRecord.digest), select(CheckRecord.facts))):
        found.tell("added row", 0, "details", f"facts {short(digest)} belong to no check")


def _compare(found: LogVerdict, table: str, wanted: Mapping[Key, Row], here: Mapping[Key, Row]) -> None:
    for key in sorted(wanted.keys() | here.keys(), key=str):
        expected, row = wanted.get(key), here.get(key)
        if expected == row:
            continue
        if row is None:
            found.tell("missing row", expected["event"], table, f"row {short(key)} is not there")  # type: ignore[index]
        elif expected is None:
            found.tell("added row", row["event"], table, f"row {short(key)} follows from no event")
        else:
            changed = [f"{k} is {row[k]!r}, the event says {v!r}" for k, v in expected.items() if row[k] != v]
            found.tell(
                "changed row", expected["event"], table, f"row {short(key)}: {short('; '.join(changed))}"
            )


def _key(table: Table, row: Row) -> Key:
    return tuple(row[c.name] for c in table.primary_key.columns)
