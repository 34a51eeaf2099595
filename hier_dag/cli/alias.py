"""`hier alias`: a further name for a published set, such as `canary`, that consumers may follow."""

from __future__ import annotations

from typing import Annotated

import typer

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable, reason


def alias(
    domain: Annotated[str, typer.Argument(help="A published target domain.")],
    name: Annotated[str, typer.Argument(help="The alias, such as canary.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the history.")],
    to: Annotated[
        int | None, typer.Option("--to", min=1, help="Version of live; default: the one in force.")
    ] = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Point a further alias of a domain at a version of `live`; readers follow it by name."""
    from hier_dag.cli.places import target_of
    from hier_dag.errors import UsageError
    from hier_dag.names import is_name
    from hier_dag.pipeline.policy import policy_of
    from hier_dag.pipeline.publication import name_set

    config, home, workshop = target_of(readable(domain, "DOMAIN"), domains)
    if not is_name(readable(name, "NAME")):
        raise UsageError(
            f"no alias can be called {name!r}.", fix="names are lower-case letters, digits and underscores"
        )
    before = workshop.registry.alias(domain, name)
    moved, row = name_set(workshop, policy_of(config, home.root, name), domain, version=to, why=reason(why))
    already = before is not None and before.version == moved.version
    if as_json:
        print_json(
            {
                "domain": domain,
                "alias": name,
                "version": moved.version,
                "names": row.version,
                "digest": moved.digest,
                "already": already,
                "change": moved.change,
                "who": moved.who,
                "why": moved.why,
            }
        )
        return
    when = "already" if already else "now"
    words = f"{domain}: {name} is version {moved.version} {when}, the set of live version {row.version}"
    out.print(f"{words} ({row.digest[:12]}).", highlight=False, markup=False, soft_wrap=True)
    if already:
        told = f"Nothing has moved, and the reason on record stays: {moved.why}"
        out.print(told, style="yellow", highlight=False, markup=False, soft_wrap=True)
