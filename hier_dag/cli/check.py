"""`hier check`: every mistake of a domains.yaml at once; with `--data`, every contract on the data itself."""

from __future__ import annotations

import shlex
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import MISUSED, REFUSED, Json, err, out, print_json
from hier_dag.home import home_of, last_domains_file

if TYPE_CHECKING:
    from hier_dag.builds.trial import Checked
    from hier_dag.config import PlatformConfig
    from hier_dag.config.issues import Issue


def check(
    domains: Annotated[Path | None, typer.Argument(help="domains.yaml; default: HIER_DOMAINS.")] = None,
    data: Annotated[
        bool, typer.Option("--data", help="Also run every contract on the logs; nothing is committed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check a domains.yaml: keys, types, crons, domain names, files; with --data the logs and the graph."""
    from hier_dag.config import check_config

    path = domains or last_domains_file()
    config, issues = check_config(path)
    if config is None or issues or not data:
        _declaration(path, config, issues, as_json)
        if issues:
            raise typer.Exit(MISUSED)
        return
    checks = _on_data(config, quiet=as_json)
    refused = [c for c in checks if c.outcome == "refused"]
    if as_json:
        records = [asdict(c) for c in checks]
        print_json({"file": str(path), "ok": not refused, "issues": [], "checks": records})
    else:
        _print_checks(path, checks)
    if refused:
        raise typer.Exit(REFUSED)


def _declaration(path: Path, config: PlatformConfig | None, issues: list[Issue], as_json: bool) -> None:
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
        also = shlex.join(["hier", "check", str(path), "--data"])
        run = shlex.join(["hier", "run", str(path)])
        out.print(Text.assemble("Next: ", (run, "bold")), highlight=False, soft_wrap=True)
        out.print(Text.assemble("  or: ", (also, "bold")), highlight=False, soft_wrap=True)


def _on_data(config: PlatformConfig, *, quiet: bool) -> list[Checked]:
    """Every check of every stage up to the graph, in a folder that is removed."""
    from hier_dag.builds.trial import try_everything
    from hier_dag.ingest.connection import connect
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore

    at = home_of(config.platform)
    accepted = Workshop(ArtifactStore(at.store), Registry(at.registry_url, platform=at.platform))
    at.scratch.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=at.scratch, prefix="check-") as folder,
        err.status("", spinner="dots") as status,
    ):

        def started(stage: str) -> None:
            if not quiet:
                status.update(f"checking {stage}")

        engine = partial(connect, Path(folder))
        return list(try_everything(config, accepted, Path(folder), engine, started))


_MARKS = {
    "held": ("✓", "green"),
    "warned": ("!", "yellow"),
    "refused": ("✗", "bold red"),
    "blocked": ("·", "dim"),
}


def _print_checks(path: Path, checks: list[Checked]) -> None:
    table = Table(title=Text(f"Contracts on the data of {path}", style="table.title"), title_justify="left")
    for head in ("", "stage", "check", "what was found", "fix"):
        table.add_column(head, overflow="fold")
    for c in checks:
        if c.outcome == "held" and c.check != "contract":
            continue
        found = c.message or _counts(c)
        table.add_row(Text(*_MARKS[c.outcome]), Text(c.stage), Text(c.check), Text(found), Text(c.fix))
    out.print(table)
    count = {name: sum(c.outcome == name for c in checks) for name in _MARKS}
    words = ", ".join(f"{n} {name}" for name, n in count.items() if n)
    out.print(f"{len(checks)} checks: {words}. Nothing was committed.", highlight=False)
    if not count["refused"]:
        run = shlex.join(["hier", "run", str(path)])
        out.print(Text.assemble("Next: ", (run, "bold")), highlight=False, soft_wrap=True)


def _counts(check: Checked) -> str:
    """The rows of a stage that holds, in words."""
    facts = check.facts
    if "rows_in" in facts:
        others = {reason: facts.get(reason, 0) for reason in ("deduplicated", "erased")}
        lost = {**facts.get("quarantined", {}), **others}
        parts = [f"{n:,} {reason}" for reason, n in lost.items() if n]
        return f"{facts['rows_in']:,} rows in = " + " + ".join([f"{facts['rows_out']:,} out", *parts])
    return ", ".join(
        f"{facts[k]:,} {k.replace('_', ' ')}"
        for k in ("users", "items", "entities", "interacts_edges")
        if k in facts
    )
