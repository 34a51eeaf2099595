"""Appending to the log: one writer at a time, each event and its rows in the same transaction."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hier_dag.environment import code_commit, environment, environment_digest, lock_digest, machine, user
from hier_dag.errors import RegistryError
from hier_dag.registry.chain import Event, Head, ascii_json, hash_of
from hier_dag.registry.connection import one_at_a_time
from hier_dag.registry.projections import ENVIRONMENT, RUN, rows_of
from hier_dag.registry.signing import signer
from hier_dag.registry.tables import DetailRecord, EnvironmentRecord, EventRecord, RunRecord

_log = logging.getLogger(__name__)
_BEHIND = timedelta(minutes=1)  # clocks of machines that share a registry differ by less


def head_of(s: Session) -> Head:
    """Where the log ends at this moment."""
    newest = s.execute(
        select(EventRecord.seq, EventRecord.hash).order_by(EventRecord.seq.desc()).limit(1)
    ).first()
    return Head() if newest is None else Head(*newest)


def _time_of(s: Session, head: Head) -> datetime | None:
    """Time of the event where the log ends; None where there is none."""
    at = s.scalar(select(EventRecord.at).where(EventRecord.seq == head.seq))
    if at is None or at.tzinfo is not None:
        return at
    return at.replace(tzinfo=UTC)  # SQLite forgets the zone


@cache  # once for each number of minutes: a run appends many events
def _warn(minutes: int) -> None:
    _log.warning(
        "this machine's clock is %d minutes behind the registry's newest event (or the one that wrote it was "
        "ahead): what is put on record now gets the time of that event. Set the clock right",
        minutes,
    )


class Log:
    """The log inside a writing transaction; others that write wait until it ends.

    Args:
        s: a writing transaction.
        platform: whose events these are.
    """

    def __init__(self, s: Session, platform: str) -> None:
        one_at_a_time(s, "events")
        self.s = s
        self.platform = platform
        self._head = head_of(s)
        self._newest = _time_of(s, self._head)
        self._signer = signer()

    @property
    def head(self) -> Head:
        """Where the log ends, with what was appended so far."""
        return self._head

    def append(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        run_id: str = "",
        who: str | None = None,
        at: datetime | None = None,
    ) -> Event:
        """Puts an event on record, and its rows into the index tables.

        No event is of a time before that of the event before it: where this machine's clock went back, or is
        behind the one that wrote last, it gets the time of that event. So what was in force at a time is what
        the log's order says, and an answer about the past stays as it was. After a clock that ran ahead,
        times stand still until they are reached.

        Args:
            kind: what happened.
            body: what is to be said of it.
            run_id: of the Dagster run; empty where a person acted.
            who: user name; None for the user whose process this is.
            at: when it happened; None for now.
        """
        now = (at or datetime.now(UTC)).astimezone(UTC)
        told = now if self._newest is None else max(now, self._newest)
        if told - now > _BEHIND:
            _warn(int((told - now) / _BEHIND))
        event = Event(
            seq=self._head.seq + 1,
            prev=self._head.hash,
            at=told.isoformat(timespec="microseconds"),
            platform=self.platform,
            kind=kind,
            who=user() if who is None else who,
            run_id=run_id,
            body=body,
            key=None if self._signer is None else self._signer.key_id,
        )
        entry = event.entry
        head = Head(event.seq, hash_of(entry))
        self.s.add(
            EventRecord(
                seq=event.seq,
                hash=head.hash,
                platform=event.platform,
                kind=kind,
                at=told,
                who=event.who,
                run_id=run_id,
                entry=entry,
                signature=None if self._signer is None else self._signer.sign(head.hash),
            )
        )
        self.s.add_all(rows_of(event))
        self.s.flush()
        self._head, self._newest = head, told
        return event

    def seal(self) -> Head:
        """Makes sure that what was appended is there, before the transaction ends.

        Raises:
            RegistryError: the database swallowed it, as a trigger can.
        """
        if head_of(self.s) != self._head:
            raise RegistryError(
                f"event {self._head.seq} was written and is not there: the database swallows it.",
                fix="run: hier audit verify (it tells triggers that are none of ours)",
            )
        return self._head

    def run(self, run_id: str) -> None:
        """Puts a run on record at its first event: who started it, where, with which code."""
        known = select(RunRecord.event).where(RunRecord.run_id == run_id, RunRecord.platform == self.platform)
        if run_id and self.s.scalar(known.limit(1)) is None:
            body = {"machine": machine(), "code_commit": code_commit(), "lock": lock_digest()}
            self.append(RUN, body, run_id=run_id)

    def environment(self, digest: str, run_id: str) -> None:
        """Puts an artifact's environment on record, where it is this process's and not known yet."""
        if digest == environment_digest() and self.s.get(EnvironmentRecord, digest) is None:
            self.append(ENVIRONMENT, {"digest": digest, "facts": environment()}, run_id=run_id)

    def detail(self, facts: Mapping[str, Any]) -> str:
        """Keeps facts apart from the log, which holds their digest alone.

        A salt keeps the digest from telling what a redaction took away.

        Returns:
            Digest of what is kept.
        """
        body = ascii_json({"salt": secrets.token_hex(16), "facts": facts})
        digest = hash_of(body)
        self.s.add(DetailRecord(digest=digest, body=body))
        return digest
