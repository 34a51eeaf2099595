"""What becomes of the space when a set goes live in the place of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hier_dag.publish.space.comparison import compare
from hier_dag.publish.space.params import SpaceParams
from hier_dag.publish.space.sides import Space
from hier_dag.store import Artifact

Change = tuple[str, dict[str, Any]]
"""What becomes of the space (`first`, `same`, `aligned`, `breaking`) and the figures behind it."""
Compare = Callable[[Artifact, Artifact | None], Change]
"""Compares a set with the live one, if there is one."""


def compare_with_live(params: SpaceParams) -> Compare:
    """Compares published sets by their files.

    A set that was turned to the live one's space is `aligned` by how near it is as it stands: no further
    rotation is asked of consumers.

    Args:
        params: bounds, probes and sample.
    """

    def change(new: Artifact, live: Artifact | None) -> Change:
        if live is None:
            return "first", {}
        found = compare(Space.of_folder(new.path), Space.of_folder(live.path), params)
        facts = found.as_facts()
        same_space = new.manifest.summary.get("space") == live.manifest.summary.get("space")
        if found.residual is None or not same_space:
            return "breaking", facts
        if found.residual <= params.same_residual:
            return "same", facts
        near = found.residual <= params.aligned_residual
        kept = found.overlap is not None and found.overlap >= params.min_overlap
        return ("aligned" if near and kept else "breaking"), facts

    return change
