"""What the lists look like as a whole: coverage, concentration of exposure, and novelty.

Coverage and Gini (as in Herlocker et al. 2004; Fleder and Hosanagar 2009) are figures of all lists together,
not means over users; novelty (Vargas and Castells 2011) is a mean over users of the mean self-information of
what they are shown.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hier_dag.evaluate.ranking import NO_ITEM
from hier_dag.graph.csr import FloatArray, IntArray


def exposure(top: NDArray[np.int32], k: int, n_items: int) -> IntArray:
    """How many users have each item in their top K, int64 [n_items].

    Args:
        top: int32 [n, >= k], as `Ranking.top`; a list shorter than K counts as it is.
        k: cutoff.
        n_items: length of the catalogue.
    """
    shown = top[:, :k].ravel()
    return np.bincount(shown[shown != NO_ITEM], minlength=n_items)


def coverage(exposures: IntArray) -> NDArray[np.float64]:
    """Share of the catalogue that is in somebody's top K, float64 [...], in [0, 1].

    Args:
        exposures: int64 [..., m], `exposure`; m >= 1.
    """
    return (exposures > 0).mean(axis=-1)


def gini(exposures: IntArray) -> NDArray[np.float64]:
    """Gini coefficient of exposure, float64 [...]: 0 where all items are shown alike, (m − 1)/m for one.

    G = Σ_j (2j − m − 1)·x_(j) / (m·Σ x), x_(1) <= … <= x_(m). Items that nobody is shown count.

    Args:
        exposures: int64 [..., m], `exposure`; m >= 1.
    """
    m = exposures.shape[-1]
    total = exposures.sum(axis=-1)
    weighted = np.sort(exposures, axis=-1) @ (2.0 * np.arange(1, m + 1) - m - 1)
    return weighted / (m * np.maximum(total, 1))


def self_information(counts: IntArray) -> FloatArray:
    """−log2 of each item's share of the counts, in bits, float32 [m].

    One is added to every count, so that an item without any stays finite; without any count at all, every
    item holds log2(m) bits.

    Args:
        counts: int64 [m], interactions by which an item is known.
    """
    smoothed = counts + 1.0
    return -np.log2(smoothed / max(1.0, smoothed.sum())).astype(np.float32)


def novelty(top: NDArray[np.int32], information: FloatArray, cutoffs: tuple[int, ...]) -> FloatArray:
    """Mean self-information of every user's top K, in bits, float32 [n, len(cutoffs)]; 0 for an empty list.

    Args:
        top: int32 [n, depth], as `Ranking.top`.
        information: float32 [m], `self_information`.
        cutoffs: values of K.
    """
    held = top != NO_ITEM
    bits = np.where(held, information[top], np.float32(0))
    columns = [
        bits[:, :k].sum(axis=1) / np.maximum(held[:, :k].sum(axis=1), 1) for k in cutoffs
    ]  # K beyond the catalogue means the whole of it
    return np.stack(columns, axis=1).astype(np.float32)
