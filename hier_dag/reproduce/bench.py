"""Where artifacts are built again, and what their manifests asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from hier_dag.builds.events import Connect
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.workshop import Workshop
from hier_dag.reproduce.declared import RawPlace
from hier_dag.store import Manifest


@dataclass(frozen=True)
class Bench:
    """Where an artifact is built again.

    Attributes:
        workshop: opens parents; its registry knows nothing, so that nothing is compared or reused.
        connect: opens the data engine.
        raw: where raw files lie.
        threads: CPU threads of training and transfer; None takes as many as then.
        device: of training; None takes the one of then where it is here.
    """

    workshop: Workshop
    connect: Connect
    raw: RawPlace = field(default_factory=RawPlace)
    threads: int | None = None
    device: str | None = None


def recorded_request(manifest: Manifest) -> Request:
    """The request that a manifest answered."""
    return Request(
        kind=manifest.kind,
        partition=manifest.partition,
        code_version=manifest.code_version,
        params=manifest.params,
        parents=manifest.parents,
        inputs=manifest.inputs,
        seeds=manifest.seeds,
    )
