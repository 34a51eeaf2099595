"""What a baseline may see, and the registries of baselines by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import IntArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph

Kind = Literal["fast", "trained"]
B = TypeVar("B", bound=Callable[..., Scorer | None])


@dataclass(frozen=True)
class Evidence:
    """Everything that a baseline may use for one setting of one target.

    Attributes:
        graph: source interactions and item-entity links are read from it.
        domain: the target; its interactions beyond `user`, `item` must not be read.
        user: int64 [m], few-shot training users (dense numbers); empty in zero-shot.
        item: int64 [m], their items.
        seed: seeds whatever a baseline draws; the closed-form ones draw nothing.
    """

    graph: KnowledgeGraph
    domain: str
    user: IntArray
    item: IntArray
    seed: int = 0

    @property
    def zero_shot(self) -> bool:
        """True where no interaction of the target is known."""
        return len(self.user) == 0


Baseline = Callable[[Evidence], Scorer | None]
"""Makes a scorer over positions in graph.audience[domain], or None where the baseline does not exist."""

BASELINES: dict[str, Baseline] = {}
"""Fast baselines: closed form, milliseconds to seconds, scored at every transfer."""

TRAINED: dict[str, Baseline] = {}
"""Trained baselines: gradients, seconds to minutes, scored only where declared. Needs torch to fill:
read it through `all_baselines`."""


def register(name: str, kind: Kind = "fast") -> Callable[[B], B]:
    """Decorator that files a baseline under its name.

    Args:
        name: how reports call it.
        kind: `fast` baselines go into `BASELINES`, `trained` ones into `TRAINED`.

    Raises:
        ValueError: the name is taken, in either registry.
    """

    def file(baseline: B) -> B:
        if name in BASELINES or name in TRAINED:
            raise ValueError(f"baseline {name!r} is registered twice")
        (BASELINES if kind == "fast" else TRAINED)[name] = baseline
        return baseline

    return file
