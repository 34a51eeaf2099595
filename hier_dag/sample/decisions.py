"""The planted decision path: which intents there are, and which exemplars each of them opens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hier_dag.sample.params import SampleParams
from hier_dag.sample.services import Service
from hier_dag.sample.streams import FloatArray, stream
from hier_dag.sample.vocabulary import EXEMPLARS, INTENTS

_MOVED = 4  # intents that lend one of their exemplars to another for good
_SHARED = 5  # exemplars that a second intent opens too


@dataclass(frozen=True)
class Decisions:
    """Planted decisions over P intents and K exemplars.

    Attributes:
        popularity: float64 [P], share of users drawn to each intent; sums to 1.
        path: float64 [P, K], share of an intent's choices that fall on each exemplar; each row sums to 1
            and has three to five entries above 0.
    """

    popularity: FloatArray
    path: FloatArray

    def in_service(self, service: Service) -> FloatArray:
        """The path as one service serves it, float64 [P, K]: weighed by how well it serves each kind."""
        weighed = self.path * kind_affinity(service)
        return np.asarray(weighed / weighed.sum(axis=1, keepdims=True))


def kind_affinity(service: Service) -> FloatArray:
    """How strongly a service serves each exemplar, float64 [K]."""
    return np.array([service.affinity[exemplar.kind] for exemplar in EXEMPLARS])


def build_decisions(params: SampleParams) -> Decisions:
    """Plants the path: four exemplars an intent, some moved to and some shared with another intent."""
    rng = stream(params.seed, "decisions")
    opens = np.zeros((len(INTENTS), len(EXEMPLARS)), dtype=bool)
    opens[[exemplar.intent for exemplar in EXEMPLARS], np.arange(len(EXEMPLARS))] = True
    intents = rng.permutation(len(INTENTS))
    givers, takers = intents[:_MOVED], intents[_MOVED : 2 * _MOVED]
    for giver, taker in zip(givers, takers, strict=True):
        exemplar = rng.choice(np.flatnonzero(opens[giver]))
        opens[giver, exemplar], opens[taker, exemplar] = False, True
    room = [*intents[2 * _MOVED :], *givers]
    for intent in room[:_SHARED]:
        opens[intent, rng.choice(np.flatnonzero(~opens[intent]))] = True
    weight = opens * rng.uniform(0.4, 1.6, opens.shape)
    popularity = 1.0 / (rng.permutation(len(INTENTS)) + 4.0)
    return Decisions(popularity / popularity.sum(), weight / weight.sum(axis=1, keepdims=True))
