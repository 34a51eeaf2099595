"""Finds the state that a command means: by declaration, or by the published domain it names.

Commands that only read make nothing, and may be asked of a state that is mounted read-only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hier_dag.config import PlatformConfig, load_config
from hier_dag.errors import ConfigError, HierError, RegistryError, UsageError
from hier_dag.home import Home, home_at, home_of, last_domains_file, named_domains_file, state_root

if TYPE_CHECKING:
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.publish.reader.records import VersionRecord
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore

_ELSEWHERE = "set HIER_HOME to the folder of its state, or name the declaration with --domains FILE"


def platform_of(domains: str | None) -> tuple[PlatformConfig, Home]:
    """The platform that `--domains`, HIER_DOMAINS or the last run names, to be written; it may be new.

    Raises:
        ConfigError: when the declaration is wrong, or its state cannot be written.
    """
    config = load_config(Path(domains) if domains else last_domains_file())
    return config, home_of(config.platform)


def state_of(domains: str | None) -> tuple[PlatformConfig, Home]:
    """The platform that `--domains`, HIER_DOMAINS or the last run names, to be read: nothing is made.

    Raises:
        ConfigError: when the declaration is wrong.
        UsageError: when there is nothing of it: the wrong folder is no platform in good order.
    """
    config = load_config(Path(domains) if domains else last_domains_file())
    home = home_at(config.platform)
    if os.path.isdir(home.root) and not os.access(home.root, os.R_OK | os.X_OK):
        raise ConfigError(
            "HIER_HOME: the state cannot be read.",
            file=str(home.root),
            fix="run it as who may read that folder",
        )
    if not _has_artifacts(home) and not _is_on_record(home):
        raise UsageError(
            f"there is nothing of the platform {config.platform!r} here: no artifact, and nothing on record.",
            file=str(home.root),
            fix=f"{_ELSEWHERE}; to begin: hier run",
        )
    return config, home


def state_to_change(domains: str | None) -> tuple[PlatformConfig, Home]:
    """The platform as `state_of` finds it, to be written.

    Raises:
        ConfigError: when the declaration is wrong, or its state cannot be written.
        UsageError: when there is nothing of it.
    """
    config, home = state_of(domains)
    return config, home_of(home.platform)


def registry_of(home: Home) -> Registry:
    """The registry of a platform that is there; none is made.

    Raises:
        ConfigError: when no database can be reached by its URL.
        RegistryError: when it is gone, or cannot be read.
    """
    from hier_dag.config.database_url import sqlite_database, url_problem
    from hier_dag.registry import Registry

    url = home.registry_url
    file = sqlite_database(url) if url_problem(url) is None else None
    if (
        file is not None
        and os.path.isdir(os.path.dirname(os.path.abspath(file)))
        and not os.path.lexists(file)
    ):
        raise RegistryError(
            "the registry is gone: there is no such file.",
            file=os.path.abspath(file),
            fix="restore it from a backup, or set HIER_REGISTRY to where it is",
        )
    return Registry(url, platform=home.platform)


def _has_artifacts(home: Home) -> bool:
    """Whether the store holds any; what cannot be looked at is for whoever reads it to tell."""
    folder = home.store / "artifacts"
    if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
        return True
    return next(folder.glob("*/*/*"), None) is not None


def _is_on_record(home: Home) -> bool:
    """Whether the registry knows the platform; one that cannot be read is for whoever reads it to tell."""
    from hier_dag.registry.known import knows

    try:
        return knows(home.registry_url, home.platform)
    except HierError:
        return True


def home_publishing(domain: str, domains: str | None) -> Home:
    """The home that has a live set of a domain: the named platform's if it has, else the only one that has.

    A platform is named by `--domains` (which alone is looked at then), HIER_DOMAINS or the last run.

    Raises:
        ConfigError: when the declaration of `--domains` is wrong.
        UsageError: when none has, or several have.
    """
    if domains:
        # Reading needs no folder of one's own: the state may be mounted read-only.
        return home_at(load_config(Path(domains)).platform)
    named = _named_home()
    if named is not None and domain in _published(named):
        return named
    every = {p.parent: _published(Home(p.parent)) for p in sorted(state_root().glob("*/live"))}
    homes = [root for root, published in every.items() if domain in published]
    if len(homes) == 1:
        return Home(homes[0])
    if not homes:
        published = sorted({name for names in every.values() for name in names})
        raise UsageError(
            f"nothing is published for {domain!r}; published: {', '.join(published) or 'nothing yet'}.",
            fix="choose a published domain, or run: hier run",
        )
    names = ", ".join(h.name for h in homes)
    raise UsageError(
        f"{domain!r} is published by several platforms: {names}.",
        fix="name the declaration with --domains FILE",
    )


def stores_of(domains: str | None) -> dict[str, ArtifactStore]:
    """The store of every platform, or of the one that is named.

    Raises:
        ConfigError: when the declaration of `--domains` is wrong.
        UsageError: when there is none.
    """
    from hier_dag.store import ArtifactStore

    root = state_root()
    if domains:
        root /= load_config(Path(domains)).platform
    homes = [Home(p.parent) for p in ([root / "store"] if domains else sorted(root.glob("*/store")))]
    stores = {home.platform: ArtifactStore(home.store) for home in homes if home.store.is_dir()}
    if not stores:
        raise UsageError(
            "there is nothing here: no platform has a store.",
            file=str(root),
            fix=f"{_ELSEWHERE}; to begin: hier run",
        )
    return stores


def live_of(home: Home, domain: str) -> VersionRecord:
    """The version of a domain that is live.

    Raises:
        UsageError: when nothing is published for it.
        StoreError: when its record is damaged.
    """
    from hier_dag.publish.reader.older import older_record
    from hier_dag.publish.reader.places import LocalPlace
    from hier_dag.publish.reader.records import newest

    place = LocalPlace(home.root)
    found = newest(place, domain) or older_record(place, domain, "live")
    if found is None:
        there = ", ".join(_published(home)) or "nothing yet"
        raise UsageError(
            f"nothing is published for {domain!r}; published: {there}.",
            fix="choose a published domain, or run: hier run",
        )
    return found


def _published(home: Home) -> list[str]:
    from hier_dag.publish.reader.older import older_domains
    from hier_dag.publish.reader.places import LocalPlace
    from hier_dag.publish.reader.records import published_domains

    place = LocalPlace(home.root)
    return sorted({*published_domains(place), *older_domains(place, "live")})


def target_of(
    domain: str, domains: str | None, *, only_read: bool = False
) -> tuple[PlatformConfig, Home, Workshop]:
    """The platform that publishes a domain, ready to be changed: declaration, state, store and registry.

    Args:
        domain: a target.
        domains: declaration.
        only_read: whether nothing is changed, so that the state may be read-only.

    Raises:
        ConfigError: when the declaration is wrong, or its state cannot be written.
        UsageError: when the platform has no such domain, or there is nothing of the platform.
        RegistryError: when its registry is gone, or cannot be read.
    """
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.store import ArtifactStore

    config, home = (state_of if only_read else state_to_change)(domains)
    if domain not in config.domains:
        raise UsageError(
            f"{domain!r} is no domain of the platform {config.platform!r}.",
            fix=f"targets are {', '.join(config.target_names)}; another platform: --domains FILE",
        )
    return config, home, Workshop(ArtifactStore(home.store), registry_of(home))


def _named_home() -> Home | None:
    # A published set is read without its declaration, so that a wrong one is no reason to refuse.
    file = named_domains_file()
    try:
        return home_at(load_config(file).platform) if file else None
    except ConfigError:
        return None
