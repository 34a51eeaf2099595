"""Finds the state that a command means: by declaration, or by the published domain it names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hier_dag.config import PlatformConfig, load_config
from hier_dag.errors import ConfigError, UsageError
from hier_dag.home import Home, home_of, last_domains_file, named_domains_file, state_root

if TYPE_CHECKING:
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.publish.reader.records import VersionRecord
    from hier_dag.store import ArtifactStore


def platform_of(domains: str | None) -> tuple[PlatformConfig, Home]:
    """The platform that `--domains`, HIER_DOMAINS or the last run names.

    Raises:
        ConfigError: when the declaration is wrong.
    """
    config = load_config(Path(domains) if domains else last_domains_file())
    return config, home_of(config.platform)


def home_publishing(domain: str, domains: str | None) -> Home:
    """The home that has a live set of a domain: the named platform's if it has, else the only one that has.

    A platform is named by `--domains` (which alone is looked at then), HIER_DOMAINS or the last run.

    Raises:
        ConfigError: when the declaration of `--domains` is wrong.
        UsageError: when none has, or several have.
    """
    if domains:
        # Reading needs no folder of one's own: the state may be mounted read-only.
        return Home(state_root() / load_config(Path(domains)).platform)
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
    """The store of every platform, or of the one that is named."""
    from hier_dag.store import ArtifactStore

    if domains:
        homes = [Home(state_root() / load_config(Path(domains)).platform)]
    else:
        homes = [Home(p.parent) for p in sorted(state_root().glob("*/store"))]
    return {home.platform: ArtifactStore(home.store) for home in homes if home.store.is_dir()}


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


def target_of(domain: str, domains: str | None) -> tuple[PlatformConfig, Home, Workshop]:
    """The platform that publishes a domain, ready to be changed: declaration, state, store and registry.

    Raises:
        ConfigError: when the declaration is wrong.
        UsageError: when the platform has no such domain.
    """
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore

    config, home = platform_of(domains)
    if domain not in config.domains:
        raise UsageError(
            f"{domain!r} is no domain of the platform {config.platform!r}.",
            fix=f"targets are {', '.join(config.target_names)}; another platform: --domains FILE",
        )
    return (
        config,
        home,
        Workshop(ArtifactStore(home.store), Registry(home.registry_url, platform=home.platform)),
    )


def _named_home() -> Home | None:
    # A published set is read without its declaration, so that a wrong one is no reason to refuse.
    file = named_domains_file()
    try:
        return Home(state_root() / load_config(file).platform) if file else None
    except ConfigError:
        return None
