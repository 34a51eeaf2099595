"""Families of intents: what over-complete intents have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage  # type: ignore[import-untyped]

from hier_dag.graph.csr import FloatArray
from hier_dag.model.spectral import unit_rows

_ORTHOGONAL = 1.0  # cosine distance of two places that have nothing in common


def intent_families(
    paths: FloatArray, exemplars: FloatArray, families: int | None = None
) -> NDArray[np.int64]:
    """Family of each intent, int64 [P], numbered 0…F−1 by first member.

    Intents are more than the reasons that people have, so that several stand for one. An intent's place is
    c_p = Σ_k φ_pk m_k, normalised: two intents whose paths end at different exemplars of one kind lie close,
    though their rows of φ share nothing. Complete linkage by cosine joins them while no two intents of a
    family point away from each other. O(P² K).

    Args:
        paths: φ, float32 [P, K], rows sum to 1.
        exemplars: m, float32 [K, d], unit rows of a centred space, where cosine 0 is unrelated.
        families: F at most, instead of the rule.
    """
    n = len(paths)
    if n < 2:
        return np.zeros(n, np.int64)
    places = unit_rows(paths @ exemplars).astype(np.float64)
    distance = 1 - np.clip(places @ places.T, -1, 1)
    tree = linkage(distance[np.triu_indices(n, 1)], "complete")
    if families is None:
        found = fcluster(tree, _ORTHOGONAL, "distance")
    else:
        found = fcluster(tree, families, "maxclust")
    _, first, number = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first)).astype(np.int64)[number]


def family_strength(intents: FloatArray, family: NDArray[np.int64]) -> FloatArray:
    """How strongly each family drives each user, float32 [n, F]: the sum over its intents.

    Args:
        intents: a, float32 [n, P].
        family: int64 [P].
    """
    members = np.zeros((len(family), int(family.max(initial=-1)) + 1), np.float32)
    members[np.arange(len(family)), family] = 1
    return intents @ members
