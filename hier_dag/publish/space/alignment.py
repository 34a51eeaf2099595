"""Turns a new set into the space of another: one orthogonal matrix on both sides, so no score changes."""

from __future__ import annotations

import numpy as np

from hier_dag.errors import ContractError
from hier_dag.graph.csr import FloatArray
from hier_dag.publish.space.comparison import rotation_between
from hier_dag.publish.space.probes import common
from hier_dag.publish.space.procrustes import Matrix
from hier_dag.publish.space.sides import Space

_BLOCK = 1 << 16  # rows turned at once, in float64


def rotation_to(new: Space, anchor: Space, sample: int) -> Matrix:
    """The rotation that carries a new set into the space of an anchor, float64 [dim, dim].

    An anchor is the set that began a space. Turning each version to the anchor, not to the version before,
    keeps small errors from adding up.

    Args:
        new: the new vectors.
        anchor: the set whose space they are to share.
        sample: common users, and common items, that decide it at most.

    Raises:
        ContractError: the vectors are of another length, so that nothing can be turned.
    """
    dims = new.users.dim, anchor.users.dim
    if dims[0] != dims[1]:
        raise ContractError(
            f"vectors of {dims[0]} numbers cannot be turned into a space of {dims[1]}.",
            column="vector",
            fix="publish them as a new space, or pre-train and transfer with the settings of the live set",
        )
    sides = common(new.users, anchor.users, sample), common(new.items, anchor.items, sample)
    return rotation_between(sides, dims[0])[0]


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
