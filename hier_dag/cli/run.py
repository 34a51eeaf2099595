"""`hier run`: everything from raw files to published sets, through Dagster."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from hier_dag.cli.output import REFUSED, Json, err, out, print_json
from hier_dag.errors import UsageError
from hier_dag.home import Home, home_of, last_domains_file, remember
from hier_dag.progress import Step as ProgressStep
from hier_dag.progress import listening

if TYPE_CHECKING:
    from hier_dag.config import PlatformConfig
    from hier_dag.orchestration.runner import Done

_MARKS = {"made": "[green]✓[/]", "reused": "[dim]=[/]", "failed": "[red]✗[/]", "blocked": "[yellow]·[/]"}
_SECONDS_BETWEEN_LINES = 10.0


def run(
    domains: Annotated[Path | None, typer.Argument(help="domains.yaml; default: HIER_DOMAINS.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--target", help="Publish this target alone (repeatable).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run every stage whose result is not there yet; each step is a Dagster run that shows in the UI."""
    results, seconds = run_pipeline(domains or last_domains_file(), only, quiet=as_json)
    failed = [d for d in results if d.outcome == "failed"]
    if as_json:
        print_json(
            {
                "seconds": round(seconds, 3),
                "steps": [
                    {"step": d.step.title, "outcome": d.outcome, "seconds": round(d.seconds, 3),
                     "run_id": d.run_id, "message": d.message}
                    for d in results
                ],
            }
        )  # fmt: skip
    else:
        _closing(results, seconds)
    if failed:
        raise typer.Exit(REFUSED)


def run_pipeline(
    path: Path, only: list[str] | None = None, *, quiet: bool = False
) -> tuple[list[Done], float]:
    """Runs a platform's pipeline and shows how it goes.

    Returns:
        How each step ended, and wall seconds.

    Raises:
        ConfigError: when domains.yaml is wrong.
        UsageError: when a target named is none.
    """
    from hier_dag.config import load_config

    began = time.perf_counter()
    config = load_config(path)
    unknown = sorted(set(only or ()) - set(config.target_names))
    if unknown:
        raise UsageError(
            f"not a target of this platform: {', '.join(unknown)}.",
            file=str(path),
            fix=f"targets are {', '.join(config.target_names)}",
        )
    at = home_of(config.platform)
    remember(path)
    results = []
    with _watching(quiet) as show:
        for done in _run(config, at, only, show):
            results.append(done)
            show.done(done)
    return results, time.perf_counter() - began


def _run(config: PlatformConfig, at: Home, only: list[str] | None, show: Any) -> Iterator[Done]:
    from hier_dag.orchestration.runner import run as run_steps
    from hier_dag.orchestration.runner import steps
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore

    workshop = Workshop(ArtifactStore(at.store), Registry(at.registry_url))
    plan = steps(config, workshop, only)
    show.total(sum(len(wave) for wave in plan))
    yield from run_steps(lambda: _dagster(config, at), plan, workshop, started=show.started)


def _dagster(config: PlatformConfig, at: Home) -> Any:
    """Definitions and instance, made only when something must be run."""
    import dagster as dg

    from hier_dag.definitions import build_definitions

    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    return build_definitions(config, at), dg.DagsterInstance.from_config(str(at.dagster()))


class _Bars:
    """Bars on a terminal; plain lines elsewhere; nothing where JSON is asked for."""

    def __init__(self, progress: Progress | None, quiet: bool) -> None:
        self.progress, self.quiet = progress, quiet
        self.n, self.of, self.last_line = 0, 0, 0.0
        self.bar = progress.add_task("", total=None, visible=False) if progress else None

    def total(self, n: int) -> None:
        self.of = n

    def started(self, step: Any) -> None:
        if self.progress is not None and self.bar is not None:
            self.progress.reset(self.bar, total=None, visible=True, description=f"  {step.title}")

    def told(self, step: ProgressStep) -> None:
        if self.progress is not None and self.bar is not None:
            self.progress.update(
                self.bar, description=f"  {step.work} {step.text}", total=step.total or None,
                completed=step.done, visible=True,
            )  # fmt: skip
        elif not self.quiet and time.monotonic() - self.last_line > _SECONDS_BETWEEN_LINES:
            self.last_line = time.monotonic()
            out.print(
                f"    {step.work}: {step.text} ({step.done}/{step.total})", highlight=False, markup=False
            )

    def done(self, done: Any) -> None:
        self.n += 1
        if self.progress is not None and self.bar is not None:
            self.progress.update(self.bar, visible=False)
        if self.quiet:
            return
        reason = "" if done.outcome in ("made", "failed") else f" [dim]{done.outcome}[/]"
        out.print(
            f"{_MARKS[done.outcome]} {self.n:>2}/{self.of} {done.step.title.replace('[', chr(92) + '[')}{reason} "
            f"[dim]{done.seconds:.1f} s[/]",
            highlight=False,
        )
        if done.outcome == "failed":
            err.print(f"   {done.message}", style="red", highlight=False, markup=False)


@contextmanager
def _watching(quiet: bool) -> Iterator[_Bars]:
    if quiet or not out.is_terminal:
        bars = _Bars(None, quiet)
        with listening(bars.told):
            yield bars
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        bars = _Bars(progress, quiet)
        with listening(bars.told):
            yield bars


def _closing(results: list[Done], seconds: float) -> None:
    count = {name: sum(d.outcome == name for d in results) for name in _MARKS}
    words = ", ".join(f"{n} {name}" for name, n in count.items() if n)
    out.print(f"{words} in {seconds:.1f} s", highlight=False)
    if count["failed"]:
        sys.stdout.flush()
        err.print(
            "Nothing below a failed step was built and every live set stays as it was. "
            "Mend what the message names, then run the same command: what is done is kept.",
            style="yellow",
        )
    else:
        out.print("Next: [bold]hier report[/], [bold]hier recommend DOMAIN USER[/], [bold]hier ui[/]")
