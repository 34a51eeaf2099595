"""Facts of checks on record that show rows of users: found by their text, and redacted."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import select

from hier_dag.registry import Registry
from hier_dag.registry.chain import ascii_json
from hier_dag.registry.tables import DetailRecord

_BETWEEN = re.compile(r"[\s,;|\"'{}\[\]()]+")
_INNER = re.compile(r"[:=]")


def details_with(registry: Registry, ids: Collection[str]) -> list[str]:
    """Digests of the facts of checks that name some users.

    An id is looked for as a whole value or between separators, so that `u1` is not found in `u12`.

    Args:
        registry: of the platform; facts of all platforms in its database are looked at.
        ids: of the users.
    """
    wanted = frozenset(ids)
    query = select(DetailRecord.digest, DetailRecord.body).where(DetailRecord.body.is_not(None))
    rows = registry.read(lambda s: s.execute(query).tuples().all())
    return sorted(digest for digest, body in rows if body is not None and names(json.loads(body), wanted))


def names(value: Any, ids: frozenset[str]) -> bool:
    """Whether a JSON value, or any text within it, names one of some users.

    An id that holds a separator itself is looked for anywhere in a text, as it is and as JSON writes it.
    """
    odd = {user for user in ids if _parts(user) != {user}}
    written = {json.dumps(user, ensure_ascii=False)[1:-1] for user in odd}
    anywhere = odd | written | {ascii_json(user)[1:-1] for user in odd}
    return any(
        not ids.isdisjoint(_parts(text)) or any(user in text for user in anywhere) for text in _texts(value)
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, int | float):
        yield str(value)


def _parts(text: str) -> set[str]:
    """What in a text may be an id: all of it, and what stands between separators, colons too or not."""
    between = _BETWEEN.split(text)
    return {text, *between, *(part for piece in between for part in _INNER.split(piece))}
