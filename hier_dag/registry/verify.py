"""Verifies the log: every link of the chain, every row that follows from it, signatures, anchors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from hier_dag.registry.anchors import Anchor
from hier_dag.registry.chain import event_of
from hier_dag.registry.projections import REDACTION
from hier_dag.registry.raw_rows import raw_rows
from hier_dag.registry.registry import Registry
from hier_dag.registry.tables import EventRecord
from hier_dag.registry.verdict import LogVerdict
from hier_dag.registry.verify_links import Links
from hier_dag.registry.verify_rows import check_details, check_outside, check_rows
from hier_dag.registry.verify_schema import check_schema

_STRETCH = 2_000
_LOG: Table = EventRecord.__table__  # type: ignore[assignment]


def verify_log(
    registry: Registry, *, anchors: Sequence[Anchor] = (), keys: Mapping[str, Any] | None = None
) -> LogVerdict:
    """Reads the whole log and all that follows from it, in one transaction.

    Args:
        registry: any platform's: all that share the database are verified.
        anchors: events that must be on the chain.
        keys: public keys by id (`hier_dag.registry.signing.public_key`); where given, each event must be
            signed by one of them. None does not look at signatures.
    """
    return registry.read(lambda s: _verify(s, anchors, keys))


def _verify(s: Session, anchors: Sequence[Anchor], keys: Mapping[str, Any] | None) -> LogVerdict:
    found, redacted = LogVerdict(), set(_redacted(s))
    check_schema(s, found)
    links = Links(found, anchors, keys)
    # The first stretch begins before 1, where no event of ours is.
    after, rows = 0, list(raw_rows(s, _LOG, order=True, limit=_STRETCH))
    while rows:
        # SQLite keeps whatever is put there; what is no number is told, and sorts behind all numbers.
        last = max((row["seq"] for row in rows if type(row["seq"]) is int), default=after)
        check_rows(s, found, after, last, links.follow(rows))
        check_details(s, found, after, last, redacted)
        more = last > after
        after = last
        rows = list(raw_rows(s, _LOG, _LOG.c.seq > last, order=True, limit=_STRETCH)) if more else []
    links.end()
    check_outside(s, found, after)
    found.problems.sort(key=lambda p: p.seq)
    return found


def _redacted(s: Session) -> Iterator[str]:
    query = select(EventRecord.entry).where(EventRecord.kind == REDACTION).order_by(EventRecord.seq)
    for entry in s.scalars(query):
        try:
            yield from map(str, event_of(entry).body["details"])
        except (ValueError, LookupError, TypeError):
            continue  # told when its link is looked at
