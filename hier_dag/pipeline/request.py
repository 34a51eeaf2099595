"""A request for an artifact: everything that decides it, known before any work is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hier_dag.digest import request_key
from hier_dag.names import title_of


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON has them: tuples become lists, at every depth."""
    nested = {k: plain(v) if isinstance(v, Mapping) else v for k, v in values.items()}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in nested.items()}


@dataclass(frozen=True)
class Request:
    """What a stage would make now.

    Attributes:
        kind: artifact kind, such as `kg/graph`.
        partition: domain, or None.
        code_version: the stage's code version.
        params: parameters that decide the result.
        parents: digest of each parent artifact by role.
        inputs: location, sha256 and bytes of each raw file to read.
        seeds: seeds among the parameters.
        raw: the raw inputs behind `inputs`, for the stage that reads them; no part of the key.
        kept_as: kind of artifact that keeps the quarantined rows where a contract refuses; None keeps none.
    """

    kind: str
    partition: str | None
    code_version: str
    params: dict[str, Any]
    parents: dict[str, str] = field(default_factory=dict)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    raw: Sequence[Any] = ()
    kept_as: str | None = None

    @property
    def key(self) -> str:
        """SHA-256 that equal requests share."""
        return request_key(
            self.kind, self.partition, self.code_version, self.params, self.parents, self.inputs
        )

    @property
    def title(self) -> str:
        """How a person calls it: kg/graph, raw/events[food]."""
        return title_of(self.kind, self.partition)
