"""What people call an artifact: a digest or its beginning, a domain's live set, or one of its versions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hier_dag.errors import UsageError
from hier_dag.names import is_digest, is_name, title_of
from hier_dag.registry import Registry
from hier_dag.registry.tables import ArtifactRecord

_SHOWN = 8
_SHORT = 12
_HEX = re.compile(r"[0-9a-f]{1,64}")


@dataclass(frozen=True)
class Reference:
    """An artifact that was named.

    Attributes:
        digest: in full.
        kind: such as `kg/graph`.
        partition: domain; None without one.
        version: of the domain's live alias, where it was named so.
    """

    digest: str
    kind: str
    partition: str | None
    version: int | None = None

    def __str__(self) -> str:
        name = title_of(self.kind, self.partition)
        return f"{name} {self.digest[:_SHORT]}" + (
            f" ({self.partition}@{self.version})" if self.version else ""
        )


def named(registry: Registry, text: str) -> Reference:
    """The artifact that a text names: `cafe`, `cafe@7`, a digest or its beginning.

    A published domain comes before a digest that begins like its name.

    Raises:
        UsageError: when it names none, or several.
    """
    domain, at, number = text.partition("@")
    if is_name(domain) and (history := registry.alias_history(domain)):
        row = next((r for r in history if not at or str(r.version) == number), None)
        if row is None:
            raise UsageError(
                f"live of {domain!r} has no version {number!r}.",
                domain=domain,
                fix=f"versions 1 to {history[0].version} are on record (hier audit live {domain} --history)",
            )
        return Reference(row.digest, "publish/embeddings", domain, row.version)
    if at:
        raise UsageError(f"nothing is published for {domain!r}.", fix="published: " + _published(registry))
    found = registry.read(lambda s: beginning(s, text.lower(), _SHOWN + 1)) if text else []
    if len(found) == 1:
        return found[0]
    if found:
        more = " and more" if len(found) > _SHOWN else ""
        listed = ", ".join(map(str, found[:_SHOWN])) + more
        raise UsageError(f"{text!r} begins the digest of several artifacts: {listed}.", fix="give more of it")
    raise UsageError(
        f"{text!r} is neither a published domain nor the beginning of a digest on record.",
        fix=f"give a digest that the registry shows, or DOMAIN or DOMAIN@VERSION of: {_published(registry)}",
    )


def beginning(s: Session, prefix: str, most: int) -> list[Reference]:
    """Artifacts whose digest begins so, found in the order of the primary key.

    Args:
        s: a transaction.
        prefix: hexadecimal digits in lower case; anything else begins no digest.
        most: how many to look for.
    """
    if _HEX.fullmatch(prefix) is None:
        return []
    key = ArtifactRecord.digest
    query = select(key, ArtifactRecord.kind, ArtifactRecord.partition)
    # `g` follows every hexadecimal digit in every collation, so that the index's own order can be used.
    within = key == prefix if is_digest(prefix) else (key >= prefix) & (key < prefix + "g")
    return [Reference(*row) for row in s.execute(query.where(within).order_by(key).limit(most))]


def _published(registry: Registry) -> str:
    return ", ".join(sorted({row.domain for row in registry.all_aliases()})) or "nothing yet"
