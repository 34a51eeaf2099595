"""`hier run`: everything from raw files to published sets, through Dagster."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hier_dag.cli.output import REFUSED, Json, err, out, print_json
from hier_dag.cli.progress_view import MARKS, RunView, watching
from hier_dag.cli.stopping import end_if_cancelled, resumable
from hier_dag.errors import RegistryError, UsageError
from hier_dag.home import Home, home_of, last_domains_file, remember

if TYPE_CHECKING:
    from hier_dag.config import PlatformConfig
    from hier_dag.orchestration.runner import Done
    from hier_dag.pipeline.held_back import HeldBack
    from hier_dag.pipeline.made_again import MadeAgain
    from hier_dag.pipeline.policy import Policy
    from hier_dag.pipeline.workshop import Workshop

_SHORT = 12


@dataclass
class Ended:
    """How a run ended.

    Attributes:
        results: of each step.
        seconds: on the wall.
        made_again: artifacts whose files were damaged or gone.
        held_back: newest sets that stay out of service, of the targets asked for.
    """

    results: list[Done] = field(default_factory=list)
    seconds: float = 0.0
    made_again: list[MadeAgain] = field(default_factory=list)
    held_back: list[HeldBack] = field(default_factory=list)


def run(
    domains: Annotated[Path | None, typer.Argument(help="domains.yaml; default: HIER_DOMAINS.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--target", help="Publish this target alone (repeatable).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run every stage whose result is not there yet; each step is a Dagster run that shows in the UI."""
    with resumable():
        ended = _whole(domains or last_domains_file(), only, quiet=as_json)
    if as_json:
        print_json(
            {
                "seconds": round(ended.seconds, 3),
                "steps": [
                    {"step": d.step.title, "outcome": d.outcome, "seconds": round(d.seconds, 3),
                     "run_id": d.run_id, "message": d.message}
                    for d in ended.results
                ],
                "made_again": [asdict(made) for made in ended.made_again],
                "held_back": [held.as_json() for held in ended.held_back],
            }
        )  # fmt: skip
    else:
        _closing(ended)
    end_if_cancelled(ended.results)
    if any(d.outcome == "failed" for d in ended.results):
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
    ended = _whole(path, only, quiet=quiet)
    return ended.results, ended.seconds


def _whole(path: Path, only: list[str] | None, *, quiet: bool) -> Ended:
    from hier_dag.config import load_config

    began, ended = time.perf_counter(), Ended()
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
    with watching(quiet) as show:
        for done in _run(config, at, only, show, ended):
            ended.results.append(done)
            show.done(done)
    ended.seconds = time.perf_counter() - began
    return ended


def _run(
    config: PlatformConfig, at: Home, only: list[str] | None, show: RunView, ended: Ended
) -> Iterator[Done]:
    """Runs the steps, then fills in what a look at the registry tells of the whole run."""
    from hier_dag.erasure.erased import erasures
    from hier_dag.orchestration.runner import run as run_steps
    from hier_dag.orchestration.runner import steps
    from hier_dag.pipeline.held_back import newest_held
    from hier_dag.pipeline.made_again import made_again
    from hier_dag.pipeline.policy import policy_of
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.registry import Registry
    from hier_dag.registry.patience import RUN, patience
    from hier_dag.store import ArtifactStore

    registry = Registry(at.registry_url, patience(RUN), platform=at.platform)
    workshop = Workshop(ArtifactStore(at.store), registry)
    plan = steps(config, workshop, only)
    show.total(sum(len(wave) for wave in plan))
    policy, before = policy_of(config, at.root), registry.head().seq
    yield from run_steps(lambda: open_dagster(config, at), plan, workshop, policy, started=show.started)
    if erasures(registry):
        _finish_erasures(workshop, policy, at)
    try:
        ended.made_again = made_again(registry, before)
        targets = [t for t in config.target_names if only is None or t in only]
        ended.held_back = newest_held(registry, targets, policy.alias)
    except RegistryError as error:  # the steps have ended, and what they ended with is told all the same
        err.print(f"Held-back sets are not known: {error}", style="yellow", markup=False, soft_wrap=True)


def _finish_erasures(workshop: Workshop, policy: Policy, at: Home) -> None:
    """Removes what holds erased users and has been made anew, and tells whoever was down."""
    from hier_dag.erasure.finish import finish
    from hier_dag.ingest.connection import connect

    with connect(at.scratch) as con:
        for problem in finish(con, workshop, policy):
            err.print(f"An erasure is not done: {problem}. Then run: hier forget --finish", style="yellow")


def open_dagster(config: PlatformConfig, at: Home) -> Any:
    """Definitions and instance, made only when something must be run."""
    import dagster as dg

    from hier_dag.definitions import build_definitions

    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    return build_definitions(config, at), dg.DagsterInstance.from_config(str(at.dagster()))


def _closing(ended: Ended) -> None:
    count = {name: sum(d.outcome == name for d in ended.results) for name in MARKS}
    words = ", ".join(f"{n} {name}" for name, n in count.items() if n)
    out.print(f"{words} in {ended.seconds:.1f} s", highlight=False)
    for made in ended.made_again:
        told = f"Made again, since its files were damaged or gone: {made.title} {made.digest[:_SHORT]}"
        out.print(told, style="yellow", highlight=False, markup=False, soft_wrap=True)
    for held in ended.held_back:
        told = f"{held.domain}: {held.words()}"
        out.print(told, style="yellow", highlight=False, markup=False, soft_wrap=True)
    if count["failed"]:
        sys.stdout.flush()
        err.print(
            "Nothing below a failed step was built and every live set stays as it was. "
            "Mend what the message names, then run the same command: what is done is kept.",
            style="yellow",
        )
    elif not count["cancelled"]:
        out.print("Next: [bold]hier report[/], [bold]hier recommend DOMAIN USER[/], [bold]hier ui[/]")
