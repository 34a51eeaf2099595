"""Generates the sample platform: logs, links, a catalogue and the planted truth in one folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hier_dag.errors import UsageError
from hier_dag.sample.links import write_catalogue, write_friends, write_links
from hier_dag.sample.logs import write_log
from hier_dag.sample.params import SampleParams
from hier_dag.sample.plan import Plan, build_plan
from hier_dag.sample.services import SERVICES
from hier_dag.sample.summary import FileCount, SampleSummary, add_up
from hier_dag.sample.truth import write_dirty, write_params, write_truth, write_unseen_events

Progress = Callable[[int, int], None]
_PARTS = ("logs", "links", "catalogue", "truth")  # truth, which marks a sample, comes last


def generate(folder: Path, params: SampleParams, progress: Progress | None = None) -> SampleSummary:
    """Generates a sample platform; the same parameters give the same bytes.

    Events are drawn and written in blocks of fixed size, each from its own random stream, so memory is
    that of the users, the items and one block. All is written beside the folder and moved into it when
    it is complete: an interrupted run leaves a former sample as it was.

    Args:
        folder: where to write; absent, empty, or holding a former sample, which is replaced.
        params: size, difficulty and seed.
        progress: called with (clean events written, clean events in all) after each block.

    Raises:
        UsageError: when the folder holds something else.
    """
    folder = folder.resolve()
    _check_folder(folder)
    staging = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    for part in _PARTS:
        (staging / part).mkdir(parents=True)
    try:
        plan = build_plan(params)
        friendships = write_friends(staging / "links", params, plan.users)
        write_links(staging / "links", plan.entities, plan.catalogues)
        write_truth(staging / "truth", plan)
        counts, users = _write_logs(staging, plan, progress)
        write_dirty(staging / "truth", counts)
        write_params(staging / "truth", params)
        _replace(folder, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return _summary(folder, plan, counts, users, friendships)


def _check_folder(folder: Path) -> None:
    if not folder.exists() or (folder / "truth" / "params.json").is_file():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    raise UsageError(
        "there is something here that is not a sample platform, and it could be lost",
        file=str(folder),
        fix="name a folder that is new or empty, or remove this one",
    )


def _replace(folder: Path, staging: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part in _PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)
        (staging / part).rename(folder / part)


def _write_logs(folder: Path, plan: Plan, progress: Progress | None) -> tuple[dict[str, FileCount], int]:
    """Counts by file, and the number of users that occur in some log."""
    sources = {service.name: plan.source(service) for service in SERVICES}
    total = sum(sources[service.name].events for service in SERVICES if service.log is not None)
    seen = np.zeros(plan.params.users, dtype=bool)
    counts: dict[str, FileCount] = {}
    done = 0

    def advance(events: int) -> None:
        nonlocal done
        done += events
        if progress is not None:
            progress(done, total)

    for service in SERVICES:
        items, source = plan.catalogues[service.name], sources[service.name]
        if service.log is None:
            write_catalogue(folder / "catalogue" / f"{service.name}.csv", items)
            write_unseen_events(folder / "truth", source, items, plan.params.users)
        else:
            counts |= write_log(folder, plan.params, service, source, items, seen, advance)
    return counts, int(seen.sum())


def _summary(
    folder: Path, plan: Plan, counts: dict[str, FileCount], users: int, friendships: int
) -> SampleSummary:
    none = {service.name: 0 for service in SERVICES}
    files = [path for part in _PARTS for path in (folder / part).rglob("*") if path.is_file()]
    return SampleSummary(
        folder=folder,
        users=users,
        items=sum(len(items.ids) for items in plan.catalogues.values()),
        entities=len(plan.entities.ids),
        friendships=friendships,
        events=add_up([none, *({count.domain: count.clean} for count in counts.values())]),
        files=len(files),
        bytes=sum(path.stat().st_size for path in files),
        dirty=add_up([count.faults for count in counts.values()]),
    )
