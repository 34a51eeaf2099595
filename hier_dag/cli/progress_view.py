"""How a run is shown while it goes: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from hier_dag.cli.output import err, out
from hier_dag.cli.plain_console import PlainConsole
from hier_dag.progress import Step as ProgressStep
from hier_dag.progress import listening

if TYPE_CHECKING:
    from hier_dag.orchestration.runner import Done, Step

MARKS = {
    "made": "[green]✓[/]", "reused": "[dim]=[/]", "failed": "[red]✗[/]", "blocked": "[yellow]·[/]",
    "cancelled": "[yellow]✗[/]",
}  # fmt: skip
_SECONDS_BETWEEN_LINES = 10.0
_BESIDE = 24  # columns of indent, spinner, bar, time and the gaps between them
_BAR = 10  # columns; a pre-training and its time left then fit into 100 of them


class RunView:
    """Shows steps as they start, go on and end; says nothing where JSON is asked for."""

    def __init__(self, progress: Progress | None, quiet: bool) -> None:
        self._progress, self._quiet = progress, quiet
        self._n, self._of, self._last_line = 0, 0, 0.0
        self._bar = progress.add_task("", total=None, visible=False) if progress else None

    def total(self, n: int) -> None:
        """How many steps there are."""
        self._of = n

    def started(self, step: Step) -> None:
        """A step begins."""
        if self._progress is not None and self._bar is not None:
            self._progress.reset(self._bar, total=None, visible=True, description=f"  {escape(step.title)}")

    def told(self, step: ProgressStep) -> None:
        """A step has come some way."""
        told = f"{step.work} {step.text}"
        if self._progress is not None and self._bar is not None:
            self._progress.update(
                self._bar,
                description=f"  {escape(self._fitting(told, self._progress.console.width))}",
                total=step.total or None,
                completed=step.done,
                visible=True,
            )
        elif not self._quiet and time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self._line(f"    {step.work}: {step.text} ({step.done}/{step.total})", markup=False)

    def done(self, done: Done) -> None:
        """A step has ended."""
        self._n += 1
        if self._progress is not None and self._bar is not None:
            self._progress.update(self._bar, visible=False)
        if self._quiet:
            return
        how = "" if done.outcome in ("made", "failed") else f" {done.outcome}"
        head = f"{MARKS[done.outcome]} {self._n:>2}/{self._of} {escape(done.step.title)}"
        self._line(f"{head}[dim]{how} {done.seconds:.1f} s[/]")
        if done.outcome in ("failed", "cancelled"):
            console = self._progress.console if self._progress is not None else err
            style = "red" if done.outcome == "failed" else "yellow"
            console.print(f"   {done.message}", style=style, highlight=False, markup=False, soft_wrap=True)

    @staticmethod
    def _fitting(text: str, columns: int) -> str:
        """The text without the parts at its end that have no room beside the bar: half a figure misleads."""
        while len(text) > columns - _BESIDE and ", " in text:
            text = text.rpartition(", ")[0]
        return text

    def _line(self, text: str, *, markup: bool = True) -> None:
        # While a bar is drawn, its console alone knows where a line may go.
        console = self._progress.console if self._progress is not None else out
        console.print(text, highlight=False, markup=markup, soft_wrap=True)


@contextmanager
def watching(quiet: bool) -> Iterator[RunView]:
    """A view that hears all progress told inside."""
    if quiet or not out.is_terminal:
        view = RunView(None, quiet)
        with listening(view.told):
            yield view
        return
    # One line whatever the width: a bar that wraps leaves its lines behind. Text is cut at its end.
    words = TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
    columns = (SpinnerColumn(), words, BarColumn(_BAR), TimeElapsedColumn())
    with (
        _terminal() as console,
        Progress(
            *columns, console=console, transient=True, expand=True,
            redirect_stdout=False, redirect_stderr=False,
        ) as progress,
    ):  # fmt: skip
        view = RunView(progress, quiet)
        with listening(view.told):
            yield view


@contextmanager
def _terminal() -> Iterator[PlainConsole]:
    """The terminal itself: while a step runs, Dagster has standard output go to a file."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="backslashreplace") as file:
        yield PlainConsole(file=file, emoji=False)
