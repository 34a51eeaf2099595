"""How an artifact of each kind is built again from its manifest, by the function that built it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hier_dag.builds.events import build_events
from hier_dag.builds.graph import build_graph
from hier_dag.builds.links import build_links
from hier_dag.config.stages import PublishParams
from hier_dag.conservation import LEDGER
from hier_dag.errors import HierError
from hier_dag.ingest.ledger import Ledger
from hier_dag.ingest.links import LinkInput
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import ENCODER, EVENTS, GRAPH, LINKS, MODEL, PUBLISHED, REFUSED, RESULT
from hier_dag.pipeline.workshop import QUARANTINE, Built
from hier_dag.reproduce.bench import Bench
from hier_dag.reproduce.classes import CELLS, INTERPRETED, PLATFORMS
from hier_dag.reproduce.declared import declared_of, events_config, graph_config, links_config
from hier_dag.reproduce.raw_files import proven_inputs
from hier_dag.reproduce.study_recipes import cell, interpretability, platform, result
from hier_dag.store import Artifact

Recipe = Callable[[Artifact, Request, Path, Bench], Built]
"""Builds a recorded artifact again into an empty folder."""


def events(recorded: Artifact, request: Request, staged: Path, bench: Bench) -> Built:
    """raw/events: as at a time at which the same rows were in the future."""
    manifest = recorded.manifest
    config = events_config(manifest, bench.raw)
    request = replace(request, raw=proven_inputs(config, manifest, bench.raw))
    validity = Ledger.read(recorded.file(LEDGER)).validity
    return build_events(
        config,
        str(manifest.partition),
        request,
        staged,
        bench.workshop,
        bench.connect,
        as_of=within(validity.get("holds_from"), validity.get("holds_until")),
    )


def within(since: str | None, until: str | None, now: datetime | None = None) -> datetime:
    """A time of a build at which its rows come out as recorded: now, else the nearest that there is.

    Args:
        since: the first such time, ISO 8601; None: no bound.
        until: the first time after it that is none; None: no bound.
        now: the time; None is the clock's.
    """
    moment = now or datetime.now(UTC)
    if until is not None:
        moment = min(moment, datetime.fromisoformat(until) - timedelta(microseconds=1))
    return moment if since is None else max(moment, datetime.fromisoformat(since))


def links(recorded: Artifact, request: Request, staged: Path, bench: Bench) -> Built:
    """raw/links."""
    manifest = recorded.manifest
    config = links_config(manifest, bench.raw)
    inputs = proven_inputs(config, manifest, bench.raw)
    raw = [
        LinkInput(one, entry["feeds"], declared_of(config, entry))
        for one, entry in zip(inputs, manifest.inputs, strict=True)
    ]
    return build_links(config, replace(request, raw=raw), staged, bench.connect)


def refused(recorded: Artifact, request: Request, staged: Path, bench: Bench) -> Built:
    """raw/refused: the ingest is done again, and what it leaves aside is kept as it was then."""
    summary = recorded.manifest.summary
    ingest = events if str(summary["refused"]).startswith(EVENTS) else links
    ingested = staged / "ingested"
    ingested.mkdir()
    code = summary["code"]
    try:
        # A check that compares with other data may have refused it, which nothing here does.
        ingest(recorded, request, ingested, bench)
    except HierError as error:
        if not (ingested / LEDGER).is_file():
            raise
        code = error.code
    shutil.copytree(ingested / QUARANTINE, staged / QUARANTINE)
    shutil.copyfile(ingested / LEDGER, staged / LEDGER)
    shutil.rmtree(ingested)
    return Built(summary={**summary, "code": code})


def graph(recorded: Artifact, request: Request, staged: Path, bench: Bench) -> Built:
    """kg/graph."""
    return build_graph(graph_config(recorded.manifest), request, staged, bench.workshop, bench.connect)


def encoder(recorded: Artifact, request: Request, staged: Path, bench: Bench) -> Built:
    """pretrain/encoder, in this process; with the device and threads of then unless others are asked for."""
    import torch

    from hier_dag.builds.encoder import build_encoder
    from hier_dag.train.job import PretrainJob, run_pretraining
    from hier_dag.train.surroundings import Surroundings

    then = recorded.manifest.summary
    device = bench.device or then.get("device")
    if device == "cuda" and not torch.cuda.is_available():
        device = "cpu"
    surroundings = Surroundings(
        device=device, threads=bench.threads or then.get("threads"), graph=then.get("graph")
    )

    def train(job: PretrainJob) -> dict[str, Any]:
        return dict(run_pretraining(replace(job, surroundings=surroundings)) or {})

    return build_encoder(request, staged, bench.workshop, train)


def model(recorded: Artifact, request: Request, staged: Path, bench: Bench) -> Built:
    """finetune/model, in this process, with as many threads as then unless others are asked for."""
    from hier_dag.builds.model import build_model
    from hier_dag.transfer.job import TransferJob, run_transfer

    threads = bench.threads or int(recorded.manifest.summary.get("threads", 0))

    def transfer(job: TransferJob) -> dict[str, Any]:
        return run_transfer(replace(job, threads=threads))

    return build_model(request, staged, bench.workshop, transfer)


def published(recorded: Artifact, request: Request, staged: Path, bench: Bench) -> Built:
    """publish/embeddings."""
    from hier_dag.builds.published_set import SetOf, build_set
    from hier_dag.publish.platform import read_platform

    opened, anchor = bench.workshop.open, request.parents.get("anchor")
    domain = str(request.partition)
    graph = read_platform(opened(GRAPH, request.parents["graph"]).path, domain)
    of = SetOf(
        domain=domain,
        graph=graph,
        names=graph.item_names,
        model=opened(MODEL, request.parents["model"]),
        parents=request.parents,
        anchor=None if anchor is None else opened(PUBLISHED, anchor),
    )
    with bench.connect() as con:
        return build_set(of, PublishParams.model_validate(request.params), staged, con)


RECIPES: dict[str, Recipe] = {
    EVENTS: events,
    LINKS: links,
    REFUSED: refused,
    GRAPH: graph,
    ENCODER: encoder,
    MODEL: model,
    PUBLISHED: published,
    RESULT: result,
    **dict.fromkeys(CELLS, cell),
    INTERPRETED: interpretability,
    PLATFORMS: platform,
}
