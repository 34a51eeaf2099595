"""The chain: every event carries the hash of the one before, so that no past can be rewritten unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

GENESIS = "0" * 64
"""What the first event says was before it."""


@dataclass(frozen=True)
class Head:
    """Where the chain ends.

    Attributes:
        seq: number of the newest event; 0 where there is none.
        hash: its hash.
    """

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True)
class Event:
    """Something that happened, as it was put on record.

    Attributes:
        seq: place in the log, counted from 1 without gaps; all platforms of a database share one log.
        prev: hash of the event before.
        at: ISO 8601, UTC, microseconds.
        platform: whose event it is.
        kind: what happened; `hier_dag.registry.projections` lists the kinds.
        who: user name.
        run_id: of the Dagster run; empty where a person acted.
        body: what is to be said of it, by kind.
        key: id of the key that signs its hash; None where it is not signed.
    """

    seq: int
    prev: str
    at: str
    platform: str
    kind: str
    who: str
    run_id: str
    body: Mapping[str, Any]
    key: str | None = None

    @property
    def entry(self) -> str:
        """The event in canonical form: JSON with sorted keys, no spaces, ASCII alone."""
        return ascii_json({name: getattr(self, name) for name in _FIELDS})

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical form, in hex."""
        return hash_of(self.entry)


_FIELDS = tuple(f.name for f in fields(Event))


def ascii_json(value: Any) -> str:
    """Canonical JSON that any database stores as it is: no NUL, no lone surrogate, nothing but ASCII.

    Numbers that JSON does not have become words: `NaN`, `Infinity`, `-Infinity`.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(_in_words(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def hash_of(entry: str) -> str:
    """SHA-256 of an entry, in hex."""
    return hashlib.sha256(entry.encode("ascii", "backslashreplace")).hexdigest()


def event_of(entry: str) -> Event:
    """The event that an entry tells of.

    Raises:
        ValueError: when it is no event.
    """
    content = json.loads(entry)
    if not isinstance(content, dict) or set(content) != set(_FIELDS):
        raise ValueError("it is no event")
    return Event(**content)


def _in_words(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _in_words(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_in_words(v) for v in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value
