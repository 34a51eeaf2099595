"""Turns a new set into the space of another: one orthogonal matrix on both sides, so no score changes."""

from __future__ import annotations

import numpy as np

from hier_dag.graph.csr import FloatArray
from hier_dag.publish.space.procrustes import Matrix

_BLOCK = 1 << 16  # rows turned at once, in float64


def align(vectors: FloatArray, rotation: Matrix) -> FloatArray:
    """Vectors of one side in the space that a rotation leads to, float32 [n, dim].

    Users and items turned by the same matrix keep all their products, to the rounding of float32. The
    last coordinate of a user is then no longer 1, nor that of an item its bias.

    Args:
        vectors: float32 [n, dim]; not changed.
        rotation: orthogonal, float64 [dim, dim].
    """
    turned = np.empty_like(vectors, dtype=np.float32)
    for at in range(0, len(vectors), _BLOCK):
        turned[at : at + _BLOCK] = vectors[at : at + _BLOCK].astype(np.float64) @ rotation
    return turned
