"""Random streams named by what they are for, and weighted draws from them."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def stream(seed: int, purpose: str, *counters: int) -> np.random.Generator:
    """A counter-based generator of its own for one purpose and block.

    Streams do not follow from one another, so any block can be drawn without those before it.
    """
    # Their number is part of the key: to SeedSequence a trailing 0 is no different from nothing.
    key = [seed, zlib.crc32(purpose.encode()), len(counters), *counters]
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


class WeightedChoice:
    """Draws positions in proportion to weights, by inversion of their running sum.

    Args:
        weights: float [n], not negative, not all zero.
    """

    def __init__(self, weights: NDArray[Any]) -> None:
        running = np.cumsum(weights, dtype=np.float64)
        self._cdf = running / running[-1]

    def draw(self, uniform: FloatArray) -> IntArray:
        """Positions, int64, one for each number in [0, 1)."""
        found = np.searchsorted(self._cdf, uniform, side="right")
        return np.minimum(found, len(self._cdf) - 1)


class GroupedChoice:
    """Draws values within groups in proportion to weights: one search serves all groups.

    Args:
        group: int64 [n], group of each entry, from 0.
        value: int64 [n].
        weight: float64 [n], positive.
        groups: number of groups; a group may be empty.
    """

    def __init__(self, group: IntArray, value: IntArray, weight: FloatArray, groups: int) -> None:
        order = np.argsort(group, kind="stable")
        group, self._value = group[order], value[order]
        running = np.cumsum(weight[order])
        self._size = np.bincount(group, minlength=groups)
        self._end = np.cumsum(self._size)
        before = np.concatenate([[0.0], running])[self._end - self._size]
        total = np.concatenate([[0.0], running])[self._end] - before
        self._key = group + (running - before[group]) / total[group]

    def draw(self, group: IntArray, uniform: FloatArray) -> IntArray:
        """Values, int64, one for each (group, number in [0, 1)); -1 where the group is empty."""
        found = np.searchsorted(self._key, group + uniform, side="right")
        # group + uniform may round up to the next whole number.
        found = np.clip(found, self._end[group] - self._size[group], self._end[group] - 1)
        if not len(self._value):
            return np.full(len(group), -1)
        return np.where(self._size[group] > 0, self._value[np.maximum(found, 0)], -1)
