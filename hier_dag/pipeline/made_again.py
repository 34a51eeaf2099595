"""Artifacts that were made again under the digest that they had: their files were damaged or gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hier_dag.names import title_of
from hier_dag.registry import Registry
from hier_dag.registry.projections import ARTIFACT, CHECKS

_AUDIT = "contract"
"""The check that an artifact has on record once each time it is made, never when it is reused."""


@dataclass(frozen=True)
class MadeAgain:
    """An artifact that was on record, and was built once more.

    Attributes:
        kind: of artifact.
        partition: domain, or None.
        digest: of it, the same as before.
    """

    kind: str
    partition: str | None
    digest: str

    @property
    def title(self) -> str:
        """How a person calls it."""
        return title_of(self.kind, self.partition)


def made_again(registry: Registry, after: int) -> list[MadeAgain]:
    """Artifacts of this platform that were made again, in the order in which they were.

    Args:
        registry: of the platform.
        after: number of the last event before the work that is asked about.

    Raises:
        RegistryError: it cannot be read.
    """
    known, found = set[str | None]({None}), dict[str, MadeAgain]()
    for event in registry.events(after=after, kinds=(ARTIFACT, CHECKS)):
        body = event.body
        if event.kind == ARTIFACT:
            known.add(body["digest"])
        elif event.platform == registry.platform and body["artifact"] not in known and _was_made(body):
            found[body["artifact"]] = MadeAgain(body["kind"], body["partition"], body["artifact"])
    return list(found.values())


def _was_made(body: Mapping[str, Any]) -> bool:
    return any(check["name"] == _AUDIT and check["passed"] for check in body["checks"])
