"""`hier audit lineage-report`: what is live on a platform and by which chain it came to be, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hier_dag.cli.output import REFUSED, DomainsFile, Json, out, print_json
from hier_dag.errors import UsageError
from hier_dag.home import may_be_written


def lineage_report(
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the files; default: `audit` in the state."),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Leave the verification of the log out.")] = False,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Write what is live and by which artifacts, checks and decisions: a page, Markdown, JSON.

    The registry's log is verified on the way; exit code 1 where it is not sound.
    """
    from hier_dag.audit.report import platform_report, write_report
    from hier_dag.cli.places import registry_of, state_of

    _, home = state_of(domains)
    if folder is None and not may_be_written(home.root):
        raise UsageError(
            "the state may only be read, and the report goes there unless told otherwise.",
            file=str(home.audit),
            fix="name a folder with --out DIR",
        )
    report = platform_report(registry_of(home), fast=fast)
    files = write_report(report, folder or home.audit)
    if as_json:
        print_json({**report, "files": {name: str(path) for name, path in files.items()}})
    else:
        for path in files.values():
            out.print(f"Written: {path}", markup=False, highlight=False, soft_wrap=True)
        chain = report["chain"]
        told = (
            f"{chain['problems']:,} problem(s)" if chain["problems"] else "not verified" if fast else "sound"
        )
        out.print(
            f"{len(report['live'])} live, {len(report['artifacts'])} artifacts, {chain['events']:,} events: "
            f"{told}",
            highlight=False,
        )
    if report["chain"]["problems"]:
        raise typer.Exit(REFUSED)
