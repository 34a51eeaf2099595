"""How many of a user's best items stay the best: what a consumer of rankings sees of a new set."""

from __future__ import annotations

import numpy as np

from hier_dag.graph.csr import FloatArray

_BLOCK = 64  # users scored at once: 64 × 50,000 items are 13 MB
_ROUNDING = 1e-5  # of ‖user‖ · ‖item‖: scores that are no further apart are a tie


def top_overlap(
    users: tuple[FloatArray, FloatArray], items: tuple[FloatArray, FloatArray], k: int
) -> float | None:
    """Mean share of each user's k best items under the new vectors that are among the k best under the live.

    Ties are the same place: an item counts whose live score reaches the k-th best one but for float32
    rounding. Where there are fewer than 2k items, half of them are asked for, since all of all are always the
    same.

    Args:
        users: new float32 [n, d] and live float32 [n, d_live] vectors of the same users.
        items: new and live vectors of the same items, [m, d] and [m, d_live].
        k: how many are best.

    Returns:
        A share in [0, 1]; None without users, or with fewer than two items.
    """
    k = min(k, len(items[0]) // 2)
    if len(users[0]) == 0 or k == 0:
        return None
    largest = np.linalg.norm(items[1], axis=1).max()
    kept = 0
    for at in range(0, len(users[0]), _BLOCK):
        new, live = (side[at : at + _BLOCK] @ vectors.T for side, vectors in zip(users, items, strict=True))
        best = np.argpartition(-new, k - 1, axis=1)[:, :k]
        bar = -np.partition(-live, k - 1, axis=1)[:, k - 1 : k]
        slack = _ROUNDING * largest * np.linalg.norm(users[1][at : at + _BLOCK], axis=1, keepdims=True)
        kept += int((np.take_along_axis(live, best, axis=1) >= bar - slack).sum())
    return kept / (k * len(users[0]))
