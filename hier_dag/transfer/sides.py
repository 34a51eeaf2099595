"""What an encoding knows of a domain beside content: tastes, decision paths, entity profiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.model.crowd_trust import CrowdTrust
from hier_dag.model.encoding import Encoding
from hier_dag.model.spectral import departures


@dataclass(frozen=True)
class Sides:
    """One domain's part of the interaction encoding and of the entity profiles.

    Attributes:
        tastes: float32 [n, d], unit spectral vectors of users; zero without source history.
        path_profiles: float32 [n, K], ĥ_u = Σ_p a_up φ_p; rows sum to 1 or are zero.
        path_tastes: float32 [n, K], direction in which ĥ_u departs from the platform's mean; unit or zero.
        profile_users: float32 [n, e], entity profiles of source history.
        profile_items: float32 [m, e], entity profiles of items.
        shared: bool [m], whether a source knows any of an item's entities.
        breadth: float32 [m], log(1 + number of an item's entities).
        trust: how far sources that played the target could trust the crowd; None without a rehearsal.
        known: mean over the catalogue of the share of an item's entities that sources know.
    """

    tastes: FloatArray
    path_profiles: FloatArray
    path_tastes: FloatArray
    profile_users: FloatArray
    profile_items: FloatArray
    known: float
    shared: NDArray[np.bool_]
    breadth: FloatArray
    trust: CrowdTrust | None = None


def make_sides(encoding: Encoding, users: IntArray, items: IntArray) -> Sides | None:
    """Cuts a domain out of an encoding; None where the formulation has no interaction encoding.

    Args:
        encoding: of the whole platform.
        users: int64 [n], the domain's audience.
        items: int64 [m], its catalogue.
    """
    inter, profiles = encoding.interactions, encoding.profiles
    if inter is None or profiles is None:
        return None
    reached = inter.intents[users] @ inter.paths
    known: NDArray[np.bool_] = inter.intents.max(axis=1, initial=0) > 0
    # Mean of ĥ over everyone with history, without making ĥ of the whole platform.
    mean = inter.intents.sum(axis=0) @ inter.paths / max(1, int(known.sum()))
    return Sides(
        tastes=inter.tastes[users],
        path_profiles=reached,
        path_tastes=departures(reached, mean, known[users]),
        profile_users=profiles.users[users],
        profile_items=profiles.items[items],
        known=float(profiles.known[items].mean()) if len(items) else 0.0,
        shared=profiles.known[items] > 0,
        breadth=profiles.breadth[items],
        trust=encoding.trust,
    )
