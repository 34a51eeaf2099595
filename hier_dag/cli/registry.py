"""`hier registry`: its tables, brought to the version that this hier_dag needs."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from hier_dag.cli.output import DomainsFile, Json, out, print_json

registry = typer.Typer(name="registry", no_args_is_help=True, help="The registry's tables.")


@registry.callback()
def _group() -> None:
    """The registry's tables."""


@registry.command()
def upgrade(
    domains: DomainsFile = None,
    as_json: Json = False,
    patience: Annotated[float, typer.Option(metavar="SECONDS", help="To wait for a locked database.")] = 30.0,
) -> None:
    """Bring the tables to the newest version, in one transaction; a SQLite file is copied first."""
    from hier_dag.cli.places import platform_of
    from hier_dag.registry import schema
    from hier_dag.registry import upgrade as tables

    _, home = platform_of(domains)
    before, copy = tables.upgrade(home.registry_url, patience)
    if as_json:
        print_json({"before": before, "now": schema.HEAD, "copy": None if copy is None else str(copy)})
        return
    if before == schema.HEAD:
        out.print(f"The registry has version {schema.HEAD} already: nothing to do.")
        return
    told = Text.assemble(
        "The registry is at version ", (schema.HEAD, "bold"), f" (before: {before or 'empty'})."
    )
    if copy is not None:
        told.append(f" As it was: {copy}")
    out.print(told, soft_wrap=True, highlight=False)
