"""Finds an artifact by the beginning of its digest, in the stores alone: no registry, no declaration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hier_dag.errors import UsageError
from hier_dag.names import is_digest
from hier_dag.store import ArtifactStore

_SHORT = 12
_SHOWN = 20


@dataclass(frozen=True)
class Place:
    """Where an artifact lies.

    Attributes:
        platform: name of the platform.
        kind: its kind, such as `kg/graph`.
        digest: its digest, in full.
    """

    platform: str
    kind: str
    digest: str

    def __str__(self) -> str:
        return f"{self.digest[:_SHORT]} ({self.kind}, {self.platform})"


def find(stores: Mapping[str, ArtifactStore], prefix: str, kinds: tuple[str, ...]) -> Place:
    """The only artifact of some kinds whose digest begins so.

    Args:
        stores: of each platform.
        prefix: the digest or its beginning.
        kinds: kinds of artifact to look among.

    Raises:
        UsageError: when none or several begin so; it names what there is.
    """
    known = [p for name, store in stores.items() for kind in kinds for p in _places(name, store.root, kind)]
    found = [p for p in known if p.digest.startswith(prefix.lower())] if prefix else []
    if len(found) == 1:
        return found[0]
    if len({p.digest for p in found}) == 1:
        raise UsageError(
            f"{prefix!r} is an artifact of several platforms: {_listed(found)}.",
            fix="name the declaration with --domains FILE",
        )
    if found:
        raise UsageError(
            f"{prefix!r} begins the digest of several artifacts: {_listed(found)}.", fix="give more of it"
        )
    raise UsageError(
        f"no artifact has a digest that begins with {prefix!r}; known: {_listed(known)}.",
        fix="give one of those, or run: hier run",
    )


def _places(platform: str, root: Path, kind: str) -> list[Place]:
    folders = (root / "artifacts" / kind).glob("*")
    return [Place(platform, kind, name) for name in sorted(f.name for f in folders) if is_digest(name)]


def _listed(places: list[Place]) -> str:
    more = len(places) - _SHOWN
    shown = ", ".join(str(p) for p in places[:_SHOWN])
    return (shown + (f" and {more} more" if more > 0 else "")) or "nothing yet"
