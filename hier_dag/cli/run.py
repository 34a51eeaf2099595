"""`hier run`: everything from raw files to published sets, through Dagster."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hier_dag.cli.output import REFUSED, Json, err, out, print_json
from hier_dag.cli.progress_view import MARKS, RunView, watching
from hier_dag.cli.stopping import end_if_cancelled, resumable
from hier_dag.errors import UsageError
from hier_dag.home import Home, home_of, last_domains_file, remember

if TYPE_CHECKING:
    from hier_dag.config import PlatformConfig
    from hier_dag.orchestration.runner import Done
    from hier_dag.pipeline.policy import Policy
    from hier_dag.pipeline.workshop import Workshop


def run(
    domains: Annotated[Path | None, typer.Argument(help="domains.yaml; default: HIER_DOMAINS.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--target", help="Publish this target alone (repeatable).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run every stage whose result is not there yet; each step is a Dagster run that shows in the UI."""
    with resumable():
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
    end_if_cancelled(results)
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
    with watching(quiet) as show:
        for done in _run(config, at, only, show):
            results.append(done)
            show.done(done)
    return results, time.perf_counter() - began


def _run(config: PlatformConfig, at: Home, only: list[str] | None, show: RunView) -> Iterator[Done]:
    from hier_dag.erasure.erased import erasures
    from hier_dag.orchestration.runner import run as run_steps
    from hier_dag.orchestration.runner import steps
    from hier_dag.pipeline.policy import policy_of
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.registry import Registry
    from hier_dag.registry.patience import RUN, patience
    from hier_dag.store import ArtifactStore

    registry = Registry(at.registry_url, patience(RUN), platform=at.platform)
    workshop = Workshop(ArtifactStore(at.store), registry)
    plan = steps(config, workshop, only)
    show.total(sum(len(wave) for wave in plan))
    policy = policy_of(config, at.root)
    yield from run_steps(lambda: open_dagster(config, at), plan, workshop, policy, started=show.started)
    if erasures(registry):
        _finish_erasures(workshop, policy, at)


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


def _closing(results: list[Done], seconds: float) -> None:
    count = {name: sum(d.outcome == name for d in results) for name in MARKS}
    words = ", ".join(f"{n} {name}" for name, n in count.items() if n)
    out.print(f"{words} in {seconds:.1f} s", highlight=False)
    if count["failed"]:
        sys.stdout.flush()
        err.print(
            "Nothing below a failed step was built and every live set stays as it was. "
            "Mend what the message names, then run the same command: what is done is kept.",
            style="yellow",
        )
    elif not count["cancelled"]:
        out.print("Next: [bold]hier report[/], [bold]hier recommend DOMAIN USER[/], [bold]hier ui[/]")
