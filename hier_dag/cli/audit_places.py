"""Where questions about what is on record are asked: the registry of a platform, and every store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hier_dag.home import Home, state_root

if TYPE_CHECKING:
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore


def on_record(domains: str | None) -> tuple[Registry, dict[str, ArtifactStore]]:
    """The registry of the platform that `--domains`, HIER_DOMAINS or the last run names, and all stores.

    Platforms may share a registry, so that what it knows of may lie in any store under HIER_HOME.

    Raises:
        ConfigError: when the declaration is wrong.
        UsageError: when there is nothing of the platform.
        RegistryError: when its registry is gone, or cannot be read.
    """
    from hier_dag.cli.places import registry_of, state_of
    from hier_dag.store import ArtifactStore

    _, home = state_of(domains)
    homes = [Home(p.parent) for p in sorted(state_root().glob("*/store")) if p.is_dir()]
    return registry_of(home), {h.platform: ArtifactStore(h.store) for h in homes}
