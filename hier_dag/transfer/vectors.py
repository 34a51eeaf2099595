"""A target's vectors: every method of transfer ends as plain inner products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.errors import TrainingError
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.csr import FloatArray, IntArray

ZERO_SHOT, CLOSED_FORM, FINE_TUNED = "zero_shot", "closed_form", "fine_tuned"


@dataclass(frozen=True)
class DomainVectors:
    """Vectors of a domain: score(u, i) = user_vectors[u] · item_vectors[i].

    Attributes:
        users: int64 [n], graph.audience[domain].
        user_vectors: float32 [n, D]; the last coordinate is 1 and meets what all users share.
        user_origin: int8 [n], index into `hier_dag.model.encoding.ORIGINS`.
        items: int64 [m], graph.catalogue[domain].
        item_vectors: float32 [m, D].
        item_origin: int8 [m]; TRAINED also for items with few-shot training interactions.
        method: `zero_shot`, `closed_form` or `fine_tuned`; D depends on it and on the formulation.
    """

    users: IntArray
    user_vectors: FloatArray
    user_origin: NDArray[np.int8]
    items: IntArray
    item_vectors: FloatArray
    item_origin: NDArray[np.int8]
    method: str

    def scorer(self) -> Scorer:
        """Scores by position in `users`: int64 [b] -> float32 [b, m]."""
        items = np.ascontiguousarray(self.item_vectors.T)
        return lambda rows: self.user_vectors[rows] @ items


def checked(vectors: DomainVectors, domain: str) -> DomainVectors:
    """The vectors, safe to publish: finite, and no item vector all zero.

    An item of content 0 and bias 0 gets no vector of its own; where one exists, 1 is added to every item's
    bias until none does, which moves all scores of a user alike and so no rank.

    Raises:
        TrainingError: a vector holds NaN or infinity.
    """
    for name in ("user_vectors", "item_vectors"):
        if not np.isfinite(getattr(vectors, name)).all():
            raise TrainingError(
                f"{name} made by {vectors.method} hold NaN or infinity",
                domain=domain,
                fix="check the encoder's training curve, or lower "
                "stages.transfer.head.residual_learning_rate (with recommended and literal, "
                "stages.transfer.finetune_learning_rate)",
            )
    items = vectors.item_vectors
    while items.size and not items.any(axis=1).all():
        items[:, -1] += 1.0
    return vectors


def extended(blocks: list[FloatArray], last: FloatArray) -> FloatArray:
    """Rows of several blocks side by side, then one last coordinate: float32 [n, D]."""
    return np.concatenate([*blocks, last[:, None]], axis=1, dtype=np.float32)
