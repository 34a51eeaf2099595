"""Which versions of which aliases name an artifact that was reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import CTE, func, select
from sqlalchemy.orm import Session

from hier_dag.registry.aliases import as_utc
from hier_dag.registry.tables import AliasRecord, ArtifactRecord
from hier_dag.registry.walk import Node, node_of


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


_NAMES = tuple(name for name in Version._fields if name != "in_force")


def versions_among(s: Session, reached: CTE) -> list[Version]:
    """Versions whose set is among the digests of a walk, by platform, domain, alias and number.

    Args:
        s: a transaction.
        reached: a table expression with a column `digest`.
    """
    rows = select(*_columns()).where(AliasRecord.digest.in_(select(reached.c.digest)))
    return _versions(s, s.connection().execute(rows).all())


def nodes_and_versions(s: Session, reached: CTE) -> tuple[dict[str, Node], list[Version]]:
    """Records of the artifacts of a walk by digest, and versions whose set is among them, in the same order.

    One query for both: each would walk the whole way again.

    Args:
        s: a transaction.
        reached: a table expression with a column `digest`.
    """
    a, n = AliasRecord, len(Node._fields)
    query = (
        select(*(getattr(ArtifactRecord, name) for name in Node._fields), *_columns())
        .outerjoin(a, a.digest == ArtifactRecord.digest)
        .where(ArtifactRecord.digest.in_(select(reached.c.digest)))
    )
    rows = s.connection().execute(query).all()
    nodes = {row[0]: node_of(row[:n]) for row in rows}
    return nodes, _versions(s, [row[n:] for row in rows if row[n] is not None])


def _columns() -> list[Any]:
    return [getattr(AliasRecord, name) for name in _NAMES]


def _versions(s: Session, rows: Iterable[Sequence[Any]]) -> list[Version]:
    a = AliasRecord
    newest = select(a.platform, a.domain, a.alias, func.max(a.version)).group_by(
        a.platform, a.domain, a.alias
    )
    heads = {tuple(row) for row in s.connection().execute(newest)}
    found = (Version._make((*row[:-1], as_utc(row[-1]), tuple(row[:4]) in heads)) for row in rows)
    return sorted(found, key=lambda v: v[:4])


def by_digest(versions: Iterable[Version]) -> Mapping[str, list[Version]]:
    """Versions of each set."""
    found: dict[str, list[Version]] = {}
    for version in versions:
        found.setdefault(version.digest, []).append(version)
    return found
