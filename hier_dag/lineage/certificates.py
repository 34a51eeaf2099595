"""What the leakage certificates of a set's graph, encoder and model say, as figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hier_dag.graph.certificate import CERTIFICATE
from hier_dag.pipeline.stages import ENCODER, GRAPH, MODEL
from hier_dag.store import Artifact, ArtifactStore


def certificates_of(store: ArtifactStore, chain: Iterable[Mapping[str, Any]], domain: str) -> dict[str, Any]:
    """Figures of the certificates on the way, by kind of artifact.

    Args:
        store: where the artifacts lie.
        chain: of a published set (`chain_of`).
        domain: the target, whose own figures are told beside those of all domains.

    Returns:
        Of the graph: digest, cut, edges, held_out_pairs, in_both, domain (the target's own record). Of
        encoder and model: digest, pairs (that training used, by what for), in_held_out, not_edges.

    Raises:
        StoreError: an artifact is missing or damaged.
    """
    found = {}
    for entry in chain:
        if entry["kind"] in (GRAPH, ENCODER, MODEL):
            artifact = store.open(entry["kind"], entry["digest"])
            if any(f.path == CERTIFICATE for f in artifact.manifest.files):
                found[entry["kind"]] = {"digest": artifact.digest, **_figures(artifact, domain)}
    return found


def _figures(artifact: Artifact, domain: str) -> dict[str, Any]:
    record = artifact.json(CERTIFICATE)
    if artifact.manifest.kind == GRAPH:
        told = {key: record.get(key) for key in ("cut", "edges", "held_out_pairs", "in_both")}
        return {**told, "domain": record.get("domains", {}).get(domain)}
    used = record.get("used", {})
    return {
        "pairs": {name: part["pairs"] for name, part in used.items()},
        "in_held_out": record.get("in_held_out"),
        "not_edges": record.get("not_edges"),
    }
