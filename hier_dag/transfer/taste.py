"""The direction of a user's taste, without torch."""

from __future__ import annotations

import numpy as np

from hier_dag.graph.csr import FloatArray
from hier_dag.model.encoding import TRAINED
from hier_dag.model.spectral import departures
from hier_dag.transfer.target import Target


def taste(target: Target) -> FloatArray:
    """q̂_u, float32 [n, d]: the direction in which a user's q_u departs from the mean of users with history.

    Uncentred, q_u of any two users are so alike (mean cosine 0.75 on real logs) that who visited an item says
    little more than how many did. A user without history has q̂_u = 0: nothing is known of the taste.
    """
    known = target.user_origin == TRAINED
    if not known.any():
        return np.zeros_like(target.q)
    return departures(target.q, target.q[known].mean(axis=0), known)
