"""`hier sample`: writes the sample platform."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import Json, out, print_json


def sample(
    folder: Annotated[Path, typer.Argument(help="Where the logs go.")],
    users: Annotated[int, typer.Option(min=200, help="Users of the platform.")] = 20_000,
    events: Annotated[int, typer.Option(min=5_000, help="Events in all domains together.")] = 300_000,
    seed: Annotated[int, typer.Option(help="Same seed and sizes, same bytes.")] = 0,
    as_json: Json = False,
) -> None:
    """Write a platform of eight mini-app domains with planted intents, for trying things out."""
    from hier_dag.sample.generate import generate
    from hier_dag.sample.params import SampleParams

    summary = generate(folder, SampleParams(users=users, events=events, seed=seed))
    if as_json:
        print_json(summary.as_dict())
        return
    table = Table(title=Text(f"Sample platform in {folder}", style="table.title"), title_justify="left")
    for head in ("domain", "events"):
        table.add_column(head, justify="left" if head == "domain" else "right")
    for domain, n in summary.events.items():
        table.add_row(Text(domain), f"{n:,}")
    out.print(table)
    out.print(
        f"{summary.users:,} users, {summary.items:,} items, {summary.entities:,} entities, "
        f"{sum(summary.dirty.values()):,} dirty rows, {summary.bytes / 1e6:.1f} MB. "
        f"The planted truth is in {folder}/truth.",
        markup=False,
    )
    run = f"HIER_DATA={shlex.quote(str(folder))} hier run examples/sample/domains.yaml"
    out.print(Text.assemble("Next: ", (run, "bold")), highlight=False, soft_wrap=True)
