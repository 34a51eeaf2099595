"""Baselines that every report card shows next to HIER, registered by name."""

from hier_dag.evaluate.baselines import (
    degree,
    ease,
    entity_mix,
    entity_popularity,
    entity_profile,
    item_knn,
    item_knn_popularity,
    popularity,
    random,
    twin,
)
from hier_dag.evaluate.baselines.base import BASELINES, TRAINED, Baseline, Evidence, Kind, register

__all__ = [
    "BASELINES", "TRAINED", "Baseline", "Evidence", "Kind", "all_baselines", "degree", "ease",
    "entity_mix", "entity_popularity", "entity_profile", "fast_baselines", "item_knn", "item_knn_popularity",
    "popularity", "random", "register", "twin",
]  # fmt: skip


def fast_baselines() -> dict[str, Baseline]:
    """The closed-form baselines, milliseconds to seconds each."""
    return dict(BASELINES)


def all_baselines() -> dict[str, Baseline]:
    """The closed-form baselines, then those trained by gradients (seconds to minutes each). Imports torch."""
    from hier_dag.evaluate.baselines.trained import recipes  # noqa: F401  (registers them)

    return {**BASELINES, **TRAINED}
