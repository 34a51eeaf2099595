"""Zero-shot vectors: the trained score, and beside it the untrained entity profile and the item's breadth."""

from __future__ import annotations

import numpy as np

from hier_dag.graph.csr import FloatArray
from hier_dag.transfer.head_params import HeadParams
from hier_dag.transfer.sides import Sides
from hier_dag.transfer.target import Target

_ROUNDING = np.float32(1e-6)  # of the lengths that a score is the product of


def zero_shot_blocks(target: Target, sides: Sides, params: HeadParams) -> tuple[FloatArray, FloatArray]:
    """s0/σ(s0) + w·cosine/σ(cosine) + v·breadth/σ(breadth), σ over the catalogue; users [n, D], items [m, D].

    The trained score knows the entities of the sources; the profile knows what is rare; an item of many
    entities is large, whatever they are. The mix ranks better than any of them, most of all where the
    catalogue's entities are news to the sources: w and v grow with the share that is. No interaction of the
    target is read.

    Args:
        target: vectors and biases.
        sides: entity profiles and breadths.
        params: w and v.
    """
    q = np.hstack([target.q, np.ones((len(target.q), 1), np.float32)])
    z = np.hstack([target.z, target.bias[:, None]])
    weight = params.zero_shot_profile + params.zero_shot_unknown * (1 - sides.known)
    # Items that share no entity with a source have cosine zero; what a few dimensions say of them is noise.
    profile_items = np.where(sides.shared[:, None], sides.profile_items, np.float32(0))
    profile = np.float32(weight) * _scaled(sides.profile_users, profile_items)
    weight = params.zero_shot_breadth + params.zero_shot_breadth_unknown * (1 - sides.known)
    one = np.ones((len(target.q), 1), np.float32)
    breadth = np.float32(weight) * _scaled(one, sides.breadth[:, None])
    return np.hstack([_scaled(q, z), profile, breadth]), np.hstack([z, profile_items, sides.breadth[:, None]])


def _scaled(users: FloatArray, items: FloatArray) -> FloatArray:
    """Users' rows over the standard deviation of their scores over the catalogue; flat scores become zero.

    Var_i(u·i) = u' C u with C the covariance of items: no users × items block is needed.
    """
    if len(items) == 0:
        return users
    apart = items - items.mean(axis=0)
    covariance = apart.T @ apart / np.float32(len(items))
    deviation = np.sqrt(np.maximum(np.einsum("nd,nd->n", users @ covariance, users), 0))[:, None]
    # Items that are all alike deviate by rounding errors: divided by those, users drown the other block.
    length = np.linalg.norm(users, axis=1, keepdims=True) * np.sqrt(np.square(items).sum(axis=1).mean())
    flat = deviation <= _ROUNDING * length
    return np.where(flat, np.float32(0), users / np.where(flat, 1, deviation)).astype(np.float32)
