"""What a baseline may see, and the registry of baselines by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import IntArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph


@dataclass(frozen=True)
class Evidence:
    """Everything that a baseline may use for one setting of one target.

    Attributes:
        graph: source interactions and item-entity links are read from it.
        domain: the target; its interactions beyond `user`, `item` must not be read.
        user: int64 [m], few-shot training users (dense numbers); empty in zero-shot.
        item: int64 [m], their items.
    """

    graph: KnowledgeGraph
    domain: str
    user: IntArray
    item: IntArray

    @property
    def zero_shot(self) -> bool:
        """True where no interaction of the target is known."""
        return len(self.user) == 0


Baseline = Callable[[Evidence], Scorer | None]
"""Makes a scorer over positions in graph.audience[domain], or None where the baseline does not exist."""

BASELINES: dict[str, Baseline] = {}


def register(name: str) -> Callable[[Baseline], Baseline]:
    """Decorator that files a baseline under its name in `BASELINES`."""

    def file(baseline: Baseline) -> Baseline:
        if name in BASELINES:
            raise ValueError(f"baseline {name!r} is registered twice")
        BASELINES[name] = baseline
        return baseline

    return file
