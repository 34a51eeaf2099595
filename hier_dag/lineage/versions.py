"""Which versions of which aliases name an artifact that was reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import CTE, func, select
from sqlalchemy.orm import Session

from hier_dag.registry.aliases import as_utc
from hier_dag.registry.tables import AliasRecord


class Version(NamedTuple):
    """A version of an alias.

    Attributes:
        platform: whose it is.
        domain: the target domain.
        alias: such as `live`.
        version: its number.
        digest: of the set.
        action: `publish` or `rollback`.
        who: user name.
        why: in words.
        created_at: UTC.
        in_force: whether the alias points there now.
    """

    platform: str
    domain: str
    alias: str
    version: int
    digest: str
    action: str
    who: str
    why: str
    created_at: datetime
    in_force: bool

    def as_json(self) -> dict[str, Any]:
        """As a JSON-serialisable record."""
        return {**self._asdict(), "created_at": self.created_at.isoformat()}

    def __str__(self) -> str:
        alias = "" if self.alias == "live" else f" {self.alias}"
        return f"{self.domain}@{self.version}{alias}"


def versions_among(s: Session, reached: CTE) -> list[Version]:
    """Versions whose set is among the digests of a walk, by platform, domain, alias and number.

    Args:
        s: a transaction.
        reached: a table expression with a column `digest`.
    """
    a = AliasRecord
    names = [name for name in Version._fields if name != "in_force"]
    order = (a.platform, a.domain, a.alias, a.version)
    rows = select(*(getattr(a, name) for name in names)).where(a.digest.in_(select(reached.c.digest)))
    newest = select(a.platform, a.domain, a.alias, func.max(a.version)).group_by(*order[:3])
    connection = s.connection()
    heads = {tuple(row) for row in connection.execute(newest)}
    return [
        Version._make((*row[:-1], as_utc(row[-1]), tuple(row[:4]) in heads))
        for row in connection.execute(rows.order_by(*order)).all()
    ]


def by_digest(versions: Iterable[Version]) -> Mapping[str, list[Version]]:
    """Versions of each set."""
    found: dict[str, list[Version]] = {}
    for version in versions:
        found.setdefault(version.digest, []).append(version)
    return found
