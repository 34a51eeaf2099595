"""What a pre-trained encoder gives transfer: vectors of every user and item, zero-shot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray
from hier_dag.model.crowd_trust import CrowdTrust
from hier_dag.model.entity_profiles import EntityProfiles
from hier_dag.model.interactions import InteractionEncoding

TRAINED, KG_INFERRED, FALLBACK = 0, 1, 2
ORIGINS = ("trained", "kg_inferred", "fallback")


@dataclass(frozen=True)
class Encoding:
    """Zero-shot vectors of a platform: score(u, i) = users[u] · items[i] + item_bias[i].

    No target interaction enters any of these.

    Attributes:
        users: float32 [n_users, d], q_u (hier.md, eq. d).
        items: float32 [n_items, d], z_i (eq. b).
        item_bias: float32 [n_items], b_i (eq. b).
        user_origin: int8 [n_users], index into ORIGINS: TRAINED with source history, else FALLBACK.
        item_origin: int8 [n_items]: TRAINED if a source training item, KG_INFERRED if it has an
            entity, else FALLBACK.
        interactions: the users × items graph of the sources, where the formulation encodes it.
        profiles: untrained entity profiles, where the formulation uses them.
        trust: how far sources that played the target could trust the crowd, where pre-training rehearsed it.
    """

    users: FloatArray
    items: FloatArray
    item_bias: FloatArray
    user_origin: NDArray[np.int8]
    item_origin: NDArray[np.int8]
    interactions: InteractionEncoding | None = None
    profiles: EntityProfiles | None = None
    trust: CrowdTrust | None = None
