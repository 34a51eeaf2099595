"""How studies are shown: the list of them, and what one says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from hier_dag.cli.output import err, out, print_json
from hier_dag.config import PlatformConfig
from hier_dag.pipeline.workshop import Workshop
from hier_dag.study.collect import done_cell
from hier_dag.study.study import Study, Summary


def print_list(studies: Sequence[Study], config: PlatformConfig, workshop: Workshop, as_json: bool) -> None:
    """Studies with their cells, and which are done."""
    found = {
        s.name: {c.key: done_cell(s, config, workshop, c) is not None for c in s.cells(config)}
        for s in studies
    }
    if as_json:
        print_json(
            [
                {"study": s.name, "what": s.what,
                 "cells": [{"cell": k, "done": done} for k, done in found[s.name].items()]}
                for s in studies
            ]
        )  # fmt: skip
        return
    for s in studies:
        cells = found[s.name]
        out.print(f"[bold]{s.name}[/]  {sum(cells.values())}/{len(cells)} done  [dim]{escape(s.what)}[/]")
        words = (f"[green]✓[/] {k}" if done else f"[dim]·[/] {k}" for k, done in cells.items())
        out.print("  " + "   ".join(words), highlight=False)


def print_summary(
    study: Study, summary: Summary | None, done: int, cells: int, paths: dict[str, Path]
) -> None:
    """The short table of a study, how to read it, and where picture and tables lie."""
    if summary is None:
        needed = ", ".join(study.needs) or "any"
        err.print(
            f"{done} of {cells} cells are done; a summary needs: {needed}.", style="yellow", markup=False
        )
        return
    table = Table(title=study.what, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for at, head in enumerate(summary.head):
        # Figures are never cut; words may go on in the next line.
        figures = any(c.isdigit() for row in summary.rows for c in str(row[at]))
        table.add_column(escape(head), no_wrap=figures and at > 0, justify="left" if at < 2 else "right")
    before: object = None
    for row in summary.rows:
        first = "" if row[0] == before else escape(str(row[0]))
        table.add_row(first, *(escape(str(cell)) for cell in row[1:]))
        before = row[0]
    out.print(table)
    out.print(escape(summary.note), style="dim", highlight=False)
    out.print(f"{done} of {cells} cells done. Picture: {paths['png']}", markup=False, soft_wrap=True)
    out.print(f"Tables: {paths['md']}, {paths['parquet']}", markup=False, soft_wrap=True)
