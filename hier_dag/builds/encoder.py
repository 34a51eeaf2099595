"""Builds pretrain/encoder: pre-training, then what its contract asks of the encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hier_dag.config.collapse import Breach
from hier_dag.config.stages import GateParams
from hier_dag.evaluate.source_baseline import profile_on_validation
from hier_dag.graph import training_pairs
from hier_dag.graph.files import load_graph
from hier_dag.pipeline.recorded import domains_of
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import ENCODER, GRAPH
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.registry import CheckRow
from hier_dag.train.job import PretrainJob, Saving
from hier_dag.train.params import PretrainParams
from schemas.columns import columns_of

Train = Callable[[PretrainJob], dict[str, Any]]
"""Does a job wherever that is done, and gives the facts of `run_pretraining`."""


def build_encoder(
    request: Request, staged: Path, workshop: Workshop, train: Train, saving: Saving | None = None
) -> Built:
    """Pre-trains an encoder into a staged folder and checks it.

    Args:
        request: as `encoder_request` gives it.
        staged: an empty folder.
        workshop: where the graph is opened.
        train: does the job.
        saving: where checkpoints go; None saves none.

    Raises:
        TrainingError: as pre-training does.
    """
    graph_artifact = workshop.open(GRAPH, request.parents["graph"])
    sources, targets = domains_of(graph_artifact.manifest)
    params, gates = pretrain_params(request.params), GateParams.model_validate(request.params["gates"])
    job = PretrainJob(
        graph=graph_artifact.path, sources=sources, targets=targets, params=params, out=staged, saving=saving
    )
    facts = train(job)
    graph = load_graph(graph_artifact.path, sources, targets)
    baseline = profile_on_validation(graph, params.validation_users, params.seed)
    ndcg = facts["ndcg"]
    # Without decision paths the gates belong to nothing.
    monitors = facts["monitors"] | ({"open_paths": facts["open_paths"]} if params.content_paths else {})
    collapsed = list(gates.collapse.breaches(monitors, params.dim))
    accepted = {"beats_untrained_profile": gates.encoder, "collapse": gates.collapse.level}
    better = baseline is None or ndcg is None or ndcg > baseline
    return Built(
        tables={p.name: columns_of(ENCODER, p) for p in sorted(staged.glob("*.parquet"))},
        summary={
            "model": params.model,
            "graph": facts["graph"],
            "epochs": facts["epochs"],
            "best_epoch": facts["best_epoch"],
            "loss": round(facts["loss"], 6),
            "validation_ndcg10": None if ndcg is None else round(ndcg, 6),
            "untrained_profile_ndcg10": None if baseline is None else round(baseline, 6),
            "open_paths": round(facts["open_paths"], 6),
            **{name: round(value, 6) for name, value in facts["monitors"].items()},
            "intents": params.intents,
            "exemplars": params.exemplars,
            **facts["made_with"],
        },
        checks=[
            CheckRow("finite", facts["finite"], {"arrays": facts["arrays"]}),
            CheckRow("beats_untrained_profile", better, {"encoder": ndcg, "untrained_profile": baseline}),
            CheckRow("collapse", not collapsed, _collapse_facts(monitors, collapsed)),
            CheckRow("no_leakage", training_pairs.holds(facts["certificate"]), facts["certificate"]),
        ],
        advisory=frozenset(name for name, level in accepted.items() if level == "warn"),
        remedies={
            "beats_untrained_profile": "train longer or with another learning rate (stages.pretrain); look "
            "at the sources' links and behaviours; or accept it knowingly with stages.gates.encoder: warn",
            "collapse": "; ".join(dict.fromkeys(breach.fix for breach in collapsed))
            + "; or move the bound, or accept it knowingly with level: warn (stages.gates.collapse)",
            "no_leakage": training_pairs.REMEDY,
        },
    )


def pretrain_params(params: dict[str, Any]) -> PretrainParams:
    """Of an encoder's parameters, those of pre-training itself: what gates would do is none."""
    return PretrainParams(**{name: value for name, value in params.items() if name != "gates"})


def _collapse_facts(monitors: dict[str, float], collapsed: list[Breach]) -> dict[str, Any]:
    """Every monitor of the best epoch and, where one is beyond its bound, the words for it."""
    said = "; ".join(breach.message for breach in collapsed)
    return {**({"message": said} if said else {}), **monitors}
