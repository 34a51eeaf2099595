"""Proves the leakage certificate of an encoder or a model again, from the graph that it was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hier_dag.audit.claim import FAILED, PROVEN, Claim
from hier_dag.audit.graph_leakage import OpenGraph
from hier_dag.graph.certificate import CERTIFICATE
from hier_dag.graph.training_pairs import Used, holds, training_certificate
from hier_dag.model.source_view import source_history
from hier_dag.names import title_of
from hier_dag.pipeline.stages import ENCODER
from hier_dag.store import Artifact
from hier_dag.transfer.shots import draw_shots, settings_of, used_pairs

_CLAIM = "training used edges of its graph alone, and nothing that is held out"


def prove_training(artifact: Artifact, opened: OpenGraph) -> Iterator[Claim]:
    """That an encoder or model says it used just the pairs that its parameters draw from its graph's edges.

    Args:
        artifact: the encoder or model.
        opened: the graph that it was trained on.
    """
    manifest = artifact.manifest
    title = title_of(manifest.kind, manifest.partition)
    told: str | None = None
    if CERTIFICATE not in {f.path for f in manifest.files}:
        wrong: str | None = f"it has no {CERTIFICATE}: it was made by an earlier version"
    else:
        stored = artifact.json(CERTIFICATE)
        used = _of_sources(opened) if manifest.kind == ENCODER else _of_target(artifact, opened)
        made = training_certificate(used, opened.artifact.path)
        wrong = _wrong(stored, made)
        told = ", ".join(f"{part['pairs']:,} pairs of {name}" for name, part in made["used"].items())
    outcome = PROVEN if wrong is None else FAILED
    yield Claim(title, artifact.digest, _CLAIM, outcome, wrong or told or "", manifest.partition)


def _of_sources(opened: OpenGraph) -> list[Used]:
    """What pre-training is to use: every edge of every source, and their union as a history."""
    graph = opened.graph
    csrs = {d: graph.interacts[d] for d in graph.sources}
    used = [Used(d, (d,), csr.row_of_entry(), csr.indices) for d, csr in csrs.items()]
    history = source_history(graph, graph.sources)
    return [*used, Used("history", graph.sources, history.row_of_entry(), history.indices)]


def _of_target(artifact: Artifact, opened: OpenGraph) -> list[Used]:
    """What transfer is to use: the pairs of its declared few-shot settings."""
    params, domain = artifact.manifest.params, str(artifact.manifest.partition)
    settings = settings_of(opened.graph, domain, params["shots"], params["publish_shots"])
    drawn = [draw_shots(opened.graph, domain, name) for name in settings]
    return [used_pairs(opened.graph, domain, drawn)]


def _wrong(stored: Any, made: dict[str, Any]) -> str | None:
    if not holds(made):
        return f"pairs that are held out or no edge: {made['sample']}"
    if stored == made:
        return None
    if not isinstance(stored, dict) or not isinstance(stored.get("used"), dict):
        return f"{CERTIFICATE} is no certificate of training"
    if stored.get("held_out_sha256") != made["held_out_sha256"]:
        return "it was checked against other held-out pairs than those of its graph"
    names = sorted({*stored["used"], *made["used"]})
    odd = [name for name in names if stored["used"].get(name) != made["used"].get(name)]
    if not odd:
        return f"{CERTIFICATE} differs from what its graph gives"
    return f"training used other pairs of {', '.join(odd)} than the graph's edges: the digests differ"
