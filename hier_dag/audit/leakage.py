"""The whole proof that an artifact knows nothing that is held out: it and what it was made of."""

from __future__ import annotations

from collections.abc import Iterator

from ibis.backends.duckdb import Backend

from hier_dag.audit.claim import FAILED, Claim
from hier_dag.audit.edges_from_events import prove_from_events
from hier_dag.audit.graph_leakage import OpenGraph, prove_graph
from hier_dag.audit.model_leakage import prove_training
from hier_dag.pipeline.stages import ENCODER, GRAPH, MODEL, PUBLISHED
from hier_dag.store import Artifact, ArtifactStore

KINDS = (GRAPH, ENCODER, MODEL, PUBLISHED)
"""Kinds that can be audited; all but the first are followed to the graph that they were made from."""
_ROLES = {"encoder": ENCODER, "model": MODEL}


def prove(store: ArtifactStore, kind: str, digest: str, con: Backend) -> Iterator[Claim]:
    """Claims about an artifact, about encoder and model among its parents, and about its graph.

    Args:
        store: where it and its parents lie.
        kind: one of `KINDS`.
        digest: its digest, in full.
        con: an engine connection; nothing is kept in it.

    Raises:
        StoreError: when it, its graph, or what training made of it is missing or damaged.
    """
    artifact = store.open(kind, digest)
    graph = artifact if kind == GRAPH else store.open(GRAPH, artifact.manifest.parents["graph"])
    opened = OpenGraph.read(graph)
    yield from prove_graph(opened, con)
    yield from prove_from_events(opened, store, con)
    for trained in _trained(store, artifact):
        yield from prove_training(trained, opened)


def proven(claims: list[Claim]) -> bool:
    """Whether none of some claims failed."""
    return all(claim.outcome != FAILED for claim in claims)


def _trained(store: ArtifactStore, artifact: Artifact) -> Iterator[Artifact]:
    """Encoder and model on the way to an artifact, itself included."""
    parents = artifact.manifest.parents
    yield from (store.open(of, parents[role]) for role, of in _ROLES.items() if role in parents)
    if artifact.manifest.kind in _ROLES.values():
        yield artifact
