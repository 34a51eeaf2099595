"""What a new set is to the consumers of the live one, and the rotation that brings it back to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hier_dag.publish.space.comparison import Change, SpaceComparison, compare
from hier_dag.publish.space.params import SpaceParams
from hier_dag.publish.space.procrustes import Matrix
from hier_dag.publish.space.sides import Space

_WORSE: tuple[Change, ...] = ("same", "aligned", "breaking")


@dataclass(frozen=True)
class Verdict:
    """How a new set is to be published.

    Attributes:
        change: `first`, `same`, `aligned` or `breaking`.
        live: the new set beside the live one; None where there is none.
        anchor: the new set beside the one that began the live one's space; None where that is the live one.
        rotation: float64 [dim, dim] for `align`, where the change is `aligned`.
    """

    change: Change
    live: SpaceComparison | None = None
    anchor: SpaceComparison | None = None
    rotation: Matrix | None = None

    def as_facts(self) -> dict[str, Any]:
        """Change and figures as a JSON-serialisable record."""
        found = {"live": self.live, "anchor": self.anchor}
        return {"change": self.change} | {name: it.as_facts() for name, it in found.items() if it}


def judge(new: Space, live: Space | None, anchor: Space | None, params: SpaceParams) -> Verdict:
    """Judges a new set by the live one and by the anchor of its space, whichever it is further from.

    Without the anchor a space could walk away in steps that are each small enough; and turning every version
    to the anchor, not to the version before, keeps small errors from adding up.

    Args:
        new: the new vectors, as transfer made them.
        live: the live set; None where nothing is live.
        anchor: the set that began the live one's space, where that is another.
        params: bounds.

    Raises:
        StoreError: a file of a set is not what its name says.
    """
    if live is None:
        return Verdict("first")
    by_live = compare(new, live, params)
    by_anchor = compare(new, anchor, params) if anchor else None
    changes = [it.change(params) for it in (by_live, by_anchor) if it]
    change = max(changes, key=_WORSE.index)
    rotation = (by_anchor or by_live).rotation if change == "aligned" else None
    return Verdict(change, by_live, by_anchor, rotation)
