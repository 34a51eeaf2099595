"""Environments that made artifacts: what ran, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hier_dag.lineage.dotted import Change, changes
from hier_dag.registry import ArtifactRow, Registry

_MACHINE = ("python", "system", "machine")
_TELLING = ("torch", "dgl", "numpy", "pyarrow", "duckdb", "faiss-cpu")
"""Distributions whose version is told at once; all of them are in the registry's environment."""


def environments_of(registry: Registry, digests: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What ran, by digest of the environment: python, system, machine, versions that results depend on."""
    found = {}
    for digest in dict.fromkeys(digests):
        facts = registry.environment(digest) or {}
        versions = _versions(facts)
        kept = {key: facts.get(key) for key in _MACHINE}
        telling = {name: versions[name] for name in _TELLING if name in versions}
        found[digest] = {**kept, "versions": telling, "distributions": len(versions)}
    return found


def environments_changed(
    registry: Registry, pairs: Iterable[tuple[ArtifactRow | None, ArtifactRow | None]]
) -> list[Change]:
    """What differs between the environments of artifacts, by name; each difference once.

    Args:
        registry: where environments are on record.
        pairs: records of the one and of what stands in its place.
    """
    sides = ((a.environment, b.environment) for a, b in pairs if a is not None and b is not None)
    moved = dict.fromkeys((one, other) for one, other in sides if one != other)
    found = {c: None for one, other in moved for c in _between(registry, one, other)}
    return sorted(found, key=lambda c: c.key)


def _between(registry: Registry, one: str, other: str) -> list[Change]:
    """What differs between two environments; where one is not on record, that they do."""
    facts = [registry.environment(digest) for digest in (one, other)]
    if facts[0] is None or facts[1] is None:
        return [Change("digest", one, other)]
    return changes(_installed(facts[0]), _installed(facts[1]))


def _installed(facts: Mapping[str, Any]) -> dict[str, str]:
    return {**{key: str(facts[key]) for key in _MACHINE if key in facts}, **_versions(facts)}


def _versions(facts: Mapping[str, Any]) -> dict[str, str]:
    """Installed distributions with their versions."""
    return dict(name.split("==", 1) for name in facts.get("distributions", ()))
