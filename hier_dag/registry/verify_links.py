"""Every event against its hash, the event before, its own columns, its signature and the anchors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hier_dag.registry.anchors import Anchor
from hier_dag.registry.chain import GENESIS, Event, Head, event_of, hash_of
from hier_dag.registry.raw_rows import moment
from hier_dag.registry.signing import holds
from hier_dag.registry.verdict import LogVerdict, short

_EVENTS = "events"
_NAMED = 10  # events whose times go back, at most; the others are counted


class Links:
    """Follows the chain from its first event on.

    Args:
        found: where problems are noted, and the head.
        anchors: events that must be on the chain.
        keys: public keys by id, of which each event must be signed by one; None looks at no signature.
    """

    def __init__(self, found: LogVerdict, anchors: Iterable[Anchor], keys: Mapping[str, Any] | None) -> None:
        self._found = found
        self._keys = keys
        self._prev = GENESIS
        self._at: datetime | None = None
        self._back: list[str] = []
        self._back_in_all = 0
        self._anchors: dict[int, list[Anchor]] = {}
        for anchor in (a for a in anchors if a.seq > 0):  # before the first event there was nothing to cut
            self._anchors.setdefault(anchor.seq, []).append(anchor)

    def follow(self, rows: Sequence[Mapping[str, Any]]) -> list[Event]:
        """Looks at the next rows of the log; those that can be read come back as events."""
        return [event for row in rows if (event := self._follow(row)) is not None]

    def end(self) -> None:
        """Tells anchors that the chain never came to, and times that go back."""
        last = self._found.head.seq
        if self._back:
            more = self._back_in_all - len(self._back)
            named = "; ".join(self._back) + (f"; and {more:,} more" if more else "")
            self._found.remarks.append(
                f"the time of {self._back_in_all:,} event(s) is before that of the event before: {named}. A "
                "clock went back when they were written; their order is what the chain proves"
            )
        for anchor in (a for some in self._anchors.values() for a in some):
            told = f"{anchor.where} knows event {anchor.seq}; the log ends at {last}: its end was cut off"
            self._found.tell("anchor", anchor.seq, _EVENTS, told)
        if self._keys is not None and last > 0 and not self._found.signed:
            self._found.tell("signature", last, _EVENTS, "no event is signed by any of the keys")

    def _follow(self, row: Mapping[str, Any]) -> Event | None:
        seq, entry, told_hash = row["seq"], str(row["entry"]), str(row["hash"])
        self._found.events += 1
        if type(seq) is not int:
            self._found.tell("link", 0, _EVENTS, f"an event has {short(repr(seq))} for a number")
            return None
        expected = self._found.head.seq + 1
        if seq != expected:
            gone = (
                f"events {expected} to {seq - 1} are missing"
                if seq > expected
                else "no event has this number"
            )
            self._found.tell("link", seq, _EVENTS, gone)
        own = hash_of(entry)
        if own != told_hash:
            told = f"its hash is told as {told_hash[:16]}…, what it says has {own[:16]}…"
            self._found.tell("entry", seq, _EVENTS, told)
        event = self._read(seq, entry)
        if event is not None:
            if event.prev != self._prev:
                told = f"it follows {event.prev[:16]}…; the event before is {self._prev[:16]}…"
                self._found.tell("link", seq, _EVENTS, told)
            self._columns(row, event)
            self._signature(row, event)
            self._time(event)
        self._prev = own
        self._found.head = Head(seq, own)
        for anchor in self._anchors.pop(seq, ()):
            if anchor.hash != own:
                told = f"{anchor.where} knows it as {anchor.hash[:16]}…; here it is {own[:16]}…"
                self._found.tell("anchor", seq, _EVENTS, told)
        return event

    def _read(self, seq: int, entry: str) -> Event | None:
        try:
            event = event_of(entry)
            if event.entry != entry:
                self._found.tell("entry", seq, _EVENTS, "it is not in canonical form")
        except (ValueError, TypeError, RecursionError) as e:
            self._found.tell("entry", seq, _EVENTS, f"it cannot be read: {e}")
            return None
        return event

    def _columns(self, row: Mapping[str, Any], event: Event) -> None:
        told = {k: getattr(event, k) for k in ("seq", "platform", "kind", "who", "run_id")}
        for name, value in {**told, "at": moment(event.at)}.items():
            if row[name] != value:
                said = f"column {name} is {row[name]!r}; the event says {value!r}"
                self._found.tell("column", event.seq, _EVENTS, said)

    def _time(self, event: Event) -> None:
        at, before = moment(event.at), self._at
        if not isinstance(at, datetime):
            return  # the rows that follow from it tell
        if before is not None and at < before:
            self._back_in_all += 1
            if len(self._back) < _NAMED:
                self._back.append(f"event {event.seq:,}, {before - at} earlier ({event.at})")
        self._at = at

    def _signature(self, row: Mapping[str, Any], event: Event) -> None:
        signature, wrong = row["signature"], ""
        if (event.key is None) != (signature is None):
            wrong = "its signature is missing" if event.key else "a signature was added"
        elif self._keys is None:
            return
        elif event.key is None and not self._found.signed:
            return  # a signed event vouches for those before it
        elif event.key is None:
            wrong = "it is not signed, and one before it is"
        elif event.key not in self._keys:
            wrong = f"it is signed by another key: {event.key}"
        elif not holds(self._keys[event.key], event.hash, str(signature)):
            wrong = f"its signature does not hold for key {event.key}"
        if wrong:
            self._found.tell("signature", event.seq, _EVENTS, wrong)
        else:
            self._found.signed += 1
            self._found.signed_up_to = event.seq
