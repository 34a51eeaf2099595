"""A registry that is older than what readers follow: an earlier backup, another one, or a new empty one."""

from __future__ import annotations

from pathlib import Path

from hier_dag.errors import RegistryError
from hier_dag.publish.aliases import AliasRecords
from hier_dag.registry import Registry
from hier_dag.store.failures import reading


def refuse_older_registry(registry: Registry, home: Path) -> None:
    """Refuses to remove anything where readers follow versions that the registry knows nothing of.

    A move is on record before its version record is written, so that a sound registry is never behind.

    Args:
        registry: of the platform.
        home: folder of its state.

    Raises:
        RegistryError: it is behind; the version is named.
        StoreError: the records at home cannot be read.
    """
    with reading(home):
        records = AliasRecords(home)
        there = {
            (domain, alias): records.highest(domain, alias)
            for domain in records.domains()
            for alias in records.aliases_of(domain)
        }
    known = {(row.domain, row.alias): row.version for row in registry.all_aliases()}
    for (domain, alias), version in there.items():
        ours = known.get((domain, alias), 0)
        if version > ours:
            raise RegistryError(
                f"readers follow version {version} of {alias}, and the registry knows "
                f"{f'none after {ours}' if ours else 'none at all'}: it is older, another one, or was lost.",
                domain=domain,
                fix="restore its newest backup, or set HIER_REGISTRY to the registry of this store",
            )
