"""Finds the state that a command means: by declaration, or by the published domain it names."""

from __future__ import annotations

from pathlib import Path

from hier_dag.config import PlatformConfig, load_config
from hier_dag.errors import UsageError
from hier_dag.home import Home, home_of, last_domains_file, state_root


def platform_of(domains: str | None) -> tuple[PlatformConfig, Home]:
    """The platform that `--domains`, HIER_DOMAINS or the last run names.

    Raises:
        ConfigError: when the declaration is wrong.
    """
    config = load_config(Path(domains) if domains else last_domains_file())
    return config, home_of(config.platform)


def home_publishing(domain: str, domains: str | None) -> Home:
    """The home that has a live set of a domain: the named platform's, else the only one that has.

    Raises:
        UsageError: when none has, or several have.
    """
    if domains:
        return platform_of(domains)[1]
    homes = sorted(p.parent.parent for p in state_root().glob("*/live/*.json") if p.stem == domain)
    if len(homes) == 1:
        return Home(homes[0])
    if not homes:
        published = sorted(p.stem for p in state_root().glob("*/live/*.json"))
        raise UsageError(
            f"nothing is published for {domain!r}; published: {', '.join(published) or 'nothing yet'}.",
            fix="choose a published domain, or run: hier run",
        )
    names = ", ".join(h.name for h in homes)
    raise UsageError(
        f"{domain!r} is published by several platforms: {names}.",
        fix="name the declaration with --domains FILE",
    )
