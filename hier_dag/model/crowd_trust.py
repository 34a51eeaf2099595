"""How far a target may trust the crowd before it has evidence of its own: what sources found in its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray

UNREHEARSED = 0.35
"""The scale where nothing is known: best on average where sources of two platforms played the target."""

ENOUGH = 1.0
"""Few-shot pairs an item from which a target's own leave-one-out knows better: the rehearsal is silent."""

_OCTAVES = 1.0  # densities within about a factor of two speak for one another
_PULL = 0.001  # of the best gain, what a factor of two away from UNREHEARSED must earn
_SMALLEST = 1 / 32  # a scale of zero counts as this one


@dataclass(frozen=True)
class CrowdTrust:
    """NDCG@10 of each source that played the target, by few-shot pairs an item and by scale of the crowd.

    Attributes:
        densities: float32 [G], few-shot pairs for each item of the catalogue, ascending and above 0.
        scales: float32 [S], scales of the crowd's terms, ascending.
        gains: float32 [R, G, S], one table a source; NaN where a source has too few pairs for a density.
    """

    densities: FloatArray
    scales: FloatArray
    gains: FloatArray

    def curve(self, density: float) -> NDArray[np.float64]:
        """Mean share of the best gain at about a density, float64 [S], in [0, 1].

        Every source and density counts by its gains over its best one, so that sources weigh alike however
        easy their catalogues are; neighbouring densities by a Gaussian of one octave, which takes the noise
        out; beyond the first or last one, that one speaks. Ones where no source has any gain.
        """
        gains = np.nan_to_num(self.gains.astype(np.float64))
        best = gains.max(axis=2)
        counted = np.isfinite(self.gains).all(axis=2) & (best > 0)
        if not counted.any():
            return np.ones(len(self.scales))
        known = self.densities[counted.any(axis=0)]
        at = np.clip(max(density, 1e-9), known.min(), known.max())
        octaves = np.log2(self.densities.astype(np.float64) / at)
        weight = counted * np.exp(-0.5 * np.square(octaves / _OCTAVES))
        share = gains / np.where(counted, best, 1)[..., None]
        total: NDArray[np.float64] = (weight[..., None] * share).sum(axis=(0, 1)) / weight.sum()
        return total

    def prior(self, density: float) -> float:
        """The scale of best mean gain at about a density; UNREHEARSED from ENOUGH on and where it is as good.

        The rehearsal judges the crowd without trained content beside it, which a target has. With few pairs
        that matters less than having any prior at all; from ENOUGH on it cost .5 % where sources played.
        """
        if density >= ENOUGH:
            return UNREHEARSED
        steps = np.log2(np.maximum(self.scales.astype(np.float64), _SMALLEST) / UNREHEARSED)
        best = int(np.argmax(self.curve(density) - _PULL * np.square(steps)))
        return round(float(self.scales[best]), 6)
