"""Sets that a roll-back took out of service: which one is held, by whom and why, and what releases it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.publish.versions import held_back
from hier_dag.registry import AliasRow, Registry
from hier_dag.registry.aliases import LIVE
from hier_dag.registry.decisions import APPROVAL

_SHORT = 12


@dataclass(frozen=True)
class HeldBack:
    """A target's newest set, which is not live since somebody rolled back from it.

    Attributes:
        domain: the target.
        digest: of the set.
        version: the newest that the set was in force as; None where it is of a model that was rolled back
            from, and never was in force itself.
        by: the roll-back.
        live: the version in force.
        other_model: whether it takes a set of another model to go on; else another set of the same one does.
    """

    domain: str
    digest: str
    version: int | None
    by: AliasRow
    live: AliasRow
    other_model: bool

    def releases(self) -> list[str]:
        """What makes this set live again, or goes live in its place: commands first."""
        back = f'hier rollback {self.domain} --to {self.version} --why "…"'
        approval = f'hier approve {self.domain} --set {self.digest[:_SHORT]} --why "…", then hier run'
        other = "the set of another model" if self.other_model else "another set"
        return [*([back] if self.version else []), approval, f"publishing {other} in its place"]

    def words(self) -> str:
        """Which set is held, by which roll-back, what is live, and what to do."""
        known = "never in force" if self.version is None else f"version {self.version}"
        what = "it" if self.version else "a set of its model"
        restores = self.live.facts.get("restores", self.live.version)
        return (
            f"the newest set ({self.digest[:_SHORT]}, {known}) is held back: {self.by.who} rolled back from "
            f"{what} on {self.by.created_at:%Y-%m-%d %H:%M} UTC ({self.by.why}). Live is version "
            f"{self.live.version}, the set of version {restores}. What ends it: "
            f"{'; or '.join(self.releases())}."
        )

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "domain": self.domain,
            "set": self.digest,
            "version": self.version,
            "live_version": self.live.version,
            "by": self.by.who,
            "at": self.by.created_at.isoformat(),
            "why": self.by.why,
            "released_by": self.releases(),
        }


def held(registry: Registry, history: Sequence[AliasRow], digest: str, model: str | None) -> AliasRow | None:
    """The roll-back that holds a set back, unless somebody has approved of the set since.

    Args:
        registry: holds the approvals.
        history: every move of the alias, newest first.
        digest: of the set.
        model: digest of its model.
    """
    row = held_back(history, digest, model)
    if row is None:
        return None
    for decision in registry.decisions(domain=row.domain, kinds=(APPROVAL,)):
        # The log's order says what came later: clocks of two machines may differ.
        if decision.subject == digest and decision.event > row.event and decision.holds():
            return None
    return row


def described(history: Sequence[AliasRow], by: AliasRow, digest: str, model: str | None) -> HeldBack:
    """All that is to be told of a set that is held.

    Args:
        history: every move of the alias, newest first.
        by: the roll-back that holds it.
        digest: of the set.
        model: digest of its model.
    """
    version = next((row.version for row in history if row.digest == digest), None)
    return HeldBack(by.domain, digest, version, by, history[0], by.facts.get("model") != model)


def newest_held(registry: Registry, domains: Iterable[str], alias: str = LIVE) -> list[HeldBack]:
    """Targets whose newest set is held back.

    Args:
        registry: of the platform.
        domains: targets that are looked at.
        alias: that sets go live as.

    Raises:
        RegistryError: it cannot be read.
    """
    found = []
    for domain in domains:
        history, digest = registry.alias_history(domain, alias), registry.latest(PUBLISHED, domain)
        if digest is None or not history:
            continue
        model = registry.parents(digest).get("model")
        by = held(registry, history, digest, model)
        if by is not None:
            found.append(described(history, by, digest, model))
    return found
