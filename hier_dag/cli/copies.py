"""`hier copies check`: every byte of what is in force, at home and at every copy; with --repair, mended."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import REFUSED, DomainsFile, Json, out, print_json, readable

if TYPE_CHECKING:
    from hier_dag.pipeline.copies import AtPlace

copies = typer.Typer(
    name="copies", no_args_is_help=True, help="Copies of what is live (stages.publish.copies)."
)


@copies.command()
def check(
    domain: Annotated[str | None, typer.Argument(help="A target domain; default: all of them.")] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Write what is damaged again, from a place that has it whole.")
    ] = False,
    alias: Annotated[str, typer.Option(help="Another alias than `live`.")] = "live",
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Read the sets in force at home and at every copy, and compare each file with its digest."""
    from hier_dag.cli.places import state_of, target_of
    from hier_dag.pipeline.copies import check_copies
    from hier_dag.pipeline.policy import policy_of

    began = time.perf_counter()
    names = state_of(domains)[0].target_names if domain is None else (readable(domain, "DOMAIN"),)
    config, home, workshop = target_of(names[0], domains, only_read=not repair)
    policy = policy_of(config, home.root, readable(alias, "--alias"))
    found = list(check_copies(workshop, policy, names, repair=repair))
    if as_json:
        print_json({"places": [{**asdict(at), "whole": at.whole} for at in found]})
    else:
        out.print(_table(found))
        bad = sum(not at.whole for at in found)
        what = f"{bad} of {len(found)} are not whole" if bad else f"all {len(found)} are whole"
        out.print(f"Sets in force by place: {what}. {time.perf_counter() - began:.1f} s", highlight=False)
        if any(at.damaged and not at.repaired for at in found) and not repair:
            out.print("Next: the same with [bold]--repair[/]", highlight=False)
    if not all(at.whole for at in found):
        raise typer.Exit(REFUSED)


def _table(found: Iterable[AtPlace]) -> Table:
    table = Table(title="Sets in force", title_justify="left")
    for head in ("domain", "version", "place", "result"):
        table.add_column(head, overflow="fold", justify="right" if head == "version" else "left")
    for at in found:
        table.add_row(Text(at.domain), str(at.version), Text(at.place), _result(at))
    return table


def _result(at: AtPlace) -> Text:
    names = ", ".join(at.damaged)
    if at.error:
        return Text("; ".join(filter(None, (names and f"damaged: {names}", at.error))), style="bold red")
    if at.repaired:
        return Text(f"repaired: {names}", style="yellow")
    return Text(f"damaged: {names}", style="bold red") if names else Text("whole", style="green")
