"""Finds the state that a command means: by declaration, or by the published domain it names."""

from __future__ import annotations

import os
from pathlib import Path

from hier_dag.config import PlatformConfig, load_config
from hier_dag.errors import ConfigError, UsageError
from hier_dag.home import Home, home_of, last_domains_file, named_domains_file, state_root


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
    if named is not None and os.path.isfile(named.live / f"{domain}.json"):
        return named
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


def _named_home() -> Home | None:
    # A published set is read without its declaration, so that a wrong one is no reason to refuse.
    file = named_domains_file()
    try:
        return Home(state_root() / load_config(file).platform) if file else None
    except ConfigError:
        return None
