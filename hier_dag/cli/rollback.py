"""`hier rollback`: an earlier set is in force again, at once, and the history says who and why."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable, reason


def rollback(
    domain: Annotated[str, typer.Argument(help="A published target domain.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the history.")],
    to: Annotated[
        int | None, typer.Option("--to", min=1, help="Version to restore; default: the set before this one.")
    ] = None,
    alias: Annotated[str, typer.Option("--alias", help="Which alias moves.")] = "live",
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Put an earlier set of a domain in force again. Running the pipeline does not undo it."""
    from hier_dag.cli.places import target_of
    from hier_dag.pipeline.policy import policy_of
    from hier_dag.pipeline.publication import roll_back

    began, why = time.perf_counter(), reason(why)
    config, home, workshop = target_of(readable(domain, "DOMAIN"), domains)
    policy = policy_of(config, home.root, readable(alias, "--alias"))
    row, old = roll_back(workshop, policy, domain, to=to, why=why)
    seconds = time.perf_counter() - began
    if as_json:
        print_json(
            {
                "domain": domain,
                "alias": alias,
                "version": row.version,
                "restores": old.version,
                "digest": row.digest,
                "change": row.change,
                "who": row.who,
                "why": row.why,
                "seconds": round(seconds, 3),
            }
        )
        return
    out.print(
        f"{domain}: {alias} is version {row.version} now, the set of version {old.version} "
        f"({row.digest[:12]}). {seconds:.2f} s",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    if (place := row.facts.get("brought_back_from")) is not None:
        out.print(f"Its set was brought back from {place}.", highlight=False, markup=False, soft_wrap=True)
    if row.change == "breaking":
        out.print(
            "Its space is another one than that of the set it replaces: tell those who use its vectors.",
            style="yellow",
            soft_wrap=True,
        )
    out.print(
        f"It stays until another set is published. Every move: hier audit live {domain} --history",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
