"""Who was erased, as the registry has it: tokens, which only the platform's secret can make of ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hier_dag.digest import digest_of
from hier_dag.erasure.secret import FILE, Secret, read_secret
from hier_dag.errors import ConfigError
from hier_dag.registry import Decision, Registry

ERASURE = "erasure"
"""Users are erased; subject: the receipt's id, facts: their tokens and the secret's fingerprint."""
SUPPRESSED = "suppressed"
"""A set holds erased users and does not come back; subject: its digest, facts: what took its place."""
RECEIPT = "erasure receipt"
"""An erasure was carried out; subject: the receipt's id, facts: the receipt's SHA-256."""

RECEIPTS = "receipts"
"""Folder of a platform's state where receipts are kept."""


@dataclass(frozen=True)
class Erased:
    """Everybody who was erased.

    Attributes:
        secret: that tokens are made with.
        tokens: one for each user, in hex, sorted.
    """

    secret: Secret = field(repr=False)
    tokens: tuple[str, ...]

    @property
    def name(self) -> str:
        """Names this list: equal lists have equal names."""
        return digest_of(self.tokens)

    def only(self, tokens: Iterable[str]) -> Erased:
        """Some of them alone."""
        return Erased(self.secret, tuple(sorted(tokens)))


def erasures(registry: Registry) -> list[Decision]:
    """Every erasure on record, newest first."""
    return registry.decisions(kinds=(ERASURE,))


def erased_of(registry: Registry, home: Path) -> Erased | None:
    """Everybody who was erased on a platform; None where nobody was.

    Args:
        registry: of the platform.
        home: folder of its state, where the secret lies.

    Raises:
        ConfigError: users were erased, and the secret that recognises them is gone or another one.
            There is a receipt of an erasure that the registry knows nothing of.
    """
    made = erasures(registry)
    _refuse_lost(made, home)
    if not made:
        return None
    secret = read_secret(home)
    if secret is None or any(d.facts["secret"] != secret.fingerprint for d in made):
        raise ConfigError(
            f"{len(made)} erasure(s) are on record, but the secret that recognises the users "
            f"{'is gone' if secret is None else 'is another one'}: they could come back unnoticed.",
            file=str(home / FILE),
            fix="restore erasure.key of this platform from a backup; nothing is built without it",
        )
    return Erased(secret, tuple(sorted({token for d in made for token in d.facts["tokens"]})))


def _refuse_lost(made: list[Decision], home: Path) -> None:
    """A registry from before an erasure would let everybody come back who was erased since."""
    lost = sorted({file.stem for file in (home / RECEIPTS).glob("*.json")} - {d.subject for d in made})
    if lost:
        raise ConfigError(
            f"{len(lost)} erasure(s) have a receipt here, and the registry knows nothing of them: it is "
            "older, or another one, and the users could come back unnoticed.",
            file=str(home / RECEIPTS / f"{lost[0]}.json"),
            fix="restore a registry that has them; where there is none, move these receipts to another place "
            "and forget the same users again: hier forget --file ids.txt --why …",
        )
