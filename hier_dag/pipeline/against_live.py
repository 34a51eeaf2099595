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
    """Compares published sets by the names of their spaces, and says by their files how far they are apart.

    The name decides, as it does for consumers. Two sets of one name were each judged by the set that began
    the space when they were made, within `aligned_residual` and `min_overlap`: the change is `same` where the
    vectors moved by no more than `same_residual`, else `aligned`, never `breaking`, though two sets may be
    further from each other than each is from that one. Sets of two names, or that tell none, are `breaking`
    however near they are: a consumer that asks for the old name is refused the new set.

    Args:
        params: `same_residual`, probes and sample.
    """

    def change(new: Artifact, live: Artifact | None) -> Change:
        if live is None:
            return "first", {}
        found = compare(Space.of_folder(new.path), Space.of_folder(live.path), params)
        name = new.manifest.summary.get("space")
        if name is None or name != live.manifest.summary.get("space"):
            return "breaking", found.as_facts()
        unmoved = found.residual is not None and found.residual <= params.same_residual
        return ("same" if unmoved else "aligned"), found.as_facts()

    return change
