"""`hier check`: every mistake of a domains.yaml at once."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import MISUSED, Json, out, print_json
from hier_dag.home import last_domains_file


def check(
    domains: Annotated[Path | None, typer.Argument(help="domains.yaml; default: HIER_DOMAINS.")] = None,
    as_json: Json = False,
) -> None:
    """Check a domains.yaml: keys, types, crons, domain names, and that every declared file exists."""
    from hier_dag.config import check_config

    path = domains or last_domains_file()
    config, issues = check_config(path)
    if as_json:
        print_json({"file": str(path), "ok": not issues, "issues": [vars(i) for i in issues]})
    elif issues:
        title = Text(f"{len(issues)} mistake(s) in {path}", style="table.title")
        table = Table(title=title, title_justify="left", show_lines=True)
        for head in ("line", "where", "what", "fix"):
            table.add_column(head, overflow="fold", justify="right" if head == "line" else "left")
        for issue in issues:
            table.add_row(str(issue.line), Text(issue.where), Text(issue.message), Text(issue.fix))
        out.print(table)
    elif config is not None:
        counts = f"{len(config.source_names)} source and {len(config.target_names)} target domains"
        named = (f" {path}: platform ", (config.platform, "bold"), f", {counts}")
        out.print(Text.assemble(("✓", "green"), *named), highlight=False, soft_wrap=True)
        run = shlex.join(["hier", "run", str(path)])
        out.print(Text.assemble("Next: ", (run, "bold")), highlight=False, soft_wrap=True)
    if issues:
        raise typer.Exit(MISUSED)
