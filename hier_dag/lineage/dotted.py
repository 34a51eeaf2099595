"""Nested values by dotted keys, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ABSENT = "absent"
"""What is told of a key that one side does not have."""


@dataclass(frozen=True)
class Change:
    """A value that differs.

    Attributes:
        key: dotted, such as `head.paths_weight`; items of a list of objects are counted from 0.
        before: its value; `ABSENT` where there was none.
        after: its value; `ABSENT` where there is none.
    """

    key: str
    before: Any
    after: Any


def changes(before: Any, after: Any) -> list[Change]:
    """What differs, by key.

    Args:
        before: JSON value.
        after: JSON value.
    """
    old, new = dict(flat(before)), dict(flat(after))
    pairs = ((key, old.get(key, ABSENT), new.get(key, ABSENT)) for key in sorted({*old, *new}))
    # Python takes 1 for True and for 1.0; of parameters, these may mean different things.
    return [Change(k, a, b) for k, a, b in pairs if (type(a), a) != (type(b), b)]


def flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Values by dotted key; lists of plain values and empty ones are values themselves."""
    if isinstance(value, Mapping) and (value or not prefix):
        for key, inner in value.items():
            yield from flat(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and any(isinstance(inner, Mapping | list) for inner in value):
        for at, inner in enumerate(value):
            yield from flat(inner, f"{prefix}.{at}" if prefix else str(at))
    else:
        yield prefix, value
