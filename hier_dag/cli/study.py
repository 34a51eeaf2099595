"""`hier study`: runs the cells of a study that are not there yet, then shows what they say."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hier_dag.cli.output import REFUSED, Json, print_json
from hier_dag.cli.stopping import end_if_cancelled, resumable
from hier_dag.errors import UsageError

if TYPE_CHECKING:
    from hier_dag.config import PlatformConfig
    from hier_dag.home import Home
    from hier_dag.orchestration.runner import Done
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.study.cell import Cell
    from hier_dag.study.study import Study


def study(
    name: Annotated[str | None, typer.Argument(help="ablation, sensitivity, scaling, platforms, …")] = None,
    domains: Annotated[
        list[str] | None,
        typer.Option("--domains", help="domains.yaml; several for the study `platforms`."),
    ] = None,
    cells: Annotated[
        list[str] | None,
        typer.Option("--cells", help="Run these alone: keys or labels, by commas (repeatable)."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="Where picture and tables go; default: the state's `studies`."),
    ] = None,
    list_them: Annotated[
        bool, typer.Option("--list", help="Show studies, cells and which are done.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sweep, scale or ablate: run the cells that are missing, then show table and picture."""
    from hier_dag.cli.study_view import print_list, print_summary
    from hier_dag.study.collect import finished_cells, summary_of, write_summary
    from hier_dag.study.registry import STUDIES, cells_named, study_named

    if name is None and not list_them:
        raise UsageError("which study?", fix=f"name one of {', '.join(STUDIES)}, or see: hier study --list")
    chosen = [study_named(name)] if name else list(STUDIES.values())
    config, home = _platform(domains or [], several=name == "platforms")
    workshop = _workshop(home)
    if list_them:
        print_list(chosen, config, workshop, as_json)
        return
    (one,) = chosen
    asked = ",".join(cells or ()).split(",") if cells else None
    todo = one.cells(config) if asked is None else cells_named(one, config, filter(None, asked))
    with resumable():
        results = run_study(one, config, home, workshop, todo, quiet=as_json)
    end_if_cancelled(results)
    finished = finished_cells(one, config, workshop)
    summary = summary_of(one, config, finished)
    paths = {} if summary is None else write_summary(one, summary, folder or home.root / "studies")
    if as_json:
        print_json(_as_json(one, results, summary, paths))
    else:
        print_summary(one, summary, len(finished), len(one.cells(config)), paths)
    if any(done.outcome == "failed" for done in results):
        raise typer.Exit(REFUSED)


def _platform(domains: list[str], *, several: bool) -> tuple[PlatformConfig, Home]:
    """The platform of the first file; further files are platforms to show beside it."""
    from hier_dag.cli.places import platform_of
    from hier_dag.config import load_config

    if len(domains) > 1 and not several:
        raise UsageError(
            "this study is of one platform.", fix="give one --domains; `platforms` alone takes several"
        )
    config, home = platform_of(domains[0] if domains else None)
    others = {load_config(f).platform: str(Path(f).resolve()) for f in domains[1:]}
    if others:
        studies = config.studies.model_copy(update={"platforms": others})
        config = config.model_copy(update={"studies": studies})
    return config, home


def _workshop(home: Home) -> Workshop:
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore

    return Workshop(ArtifactStore(home.store), Registry(home.registry_url, platform=home.platform))


def run_study(
    one: Study,
    config: PlatformConfig,
    home: Home,
    workshop: Workshop,
    cells: tuple[Cell, ...],
    *,
    quiet: bool,
) -> list[Done]:
    """Runs cells that are not there yet, each as a Dagster run.

    Raises:
        ConfigError, ContractError: when a cell cannot even be asked for; nothing has been run then.
    """
    from hier_dag.cli.progress_view import watching
    from hier_dag.cli.run import open_dagster
    from hier_dag.cli.time_left import TimeLeft, duration
    from hier_dag.orchestration.runner import Step, run
    from hier_dag.pipeline.policy import policy_of
    from hier_dag.progress import Step as Told
    from hier_dag.progress import listening

    for cell in cells:
        one.request(config, workshop.registry, cell)
    plan = [
        Step((one.kind,), cell.key, (partial(one.request, config, workshop.registry, cell),))
        for cell in cells
    ]
    left = TimeLeft(len(plan))
    results: list[Done] = []
    with watching(quiet) as view:
        view.total(len(plan))

        def told(step: Told) -> None:
            rest = left.seconds(step.done / step.total if step.total else 0.0)
            view.told(step if rest is None else replace(step, text=f"{step.text}, {duration(rest)} left"))

        def started(step: Step) -> None:
            left.begin()
            view.started(step)

        with listening(told):
            policy = policy_of(config, home.root)
            for done in run(lambda: open_dagster(config, home), [plan], workshop, policy, started=started):
                left.end(worked=done.outcome != "reused")
                results.append(done)
                view.done(done)
    return results


def _as_json(one: Study, results: list[Done], summary: Any, paths: dict[str, Path]) -> dict[str, Any]:
    return {
        "study": one.name,
        "cells": [
            {"cell": d.step.partition, "outcome": d.outcome, "seconds": round(d.seconds, 3),
             "run_id": d.run_id, "message": d.message}
            for d in results
        ],
        "figures": [] if summary is None else summary.table.to_pylist(),
        "files": {kind: str(path) for kind, path in paths.items()},
    }  # fmt: skip
