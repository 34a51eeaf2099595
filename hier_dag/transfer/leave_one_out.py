"""Scales of the few-shot score, chosen by exact leave-one-out on the target's own few-shot pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray, IntArray, from_coo
from hier_dag.transfer.shots import Shots
from hier_dag.transfer.term import Term

_PAIRS, _COLUMNS = 2_000, 4_096  # at most so many pairs, each ranked among so many items
_ENTRIES = 1 << 22  # scores of one group held at once: 16 MB


@dataclass(frozen=True)
class Group:
    """Terms that share one scale: scale · Σ_t weight_t · term_t.

    Attributes:
        terms: the terms.
        weights: their weights within the group.
        scales: values that leave-one-out may choose among; one alone is fixed.
        prior: the scale before any pair is seen.
    """

    terms: tuple[Term, ...]
    weights: tuple[float, ...]
    scales: tuple[float, ...] = (1.0,)
    prior: float = 1.0


def choose_scales(groups: Mapping[str, Group], shots: Shots, inertia: float, seed: int) -> dict[str, float]:
    """The scale of each group, by coordinate ascent from the priors.

    A pair (u, i) is ranked among the catalogue, the user's other few-shot items masked, with the pair left
    out of every count and mean; its gain is 1/log2(1 + rank). Few pairs say little, so that moving a scale by
    a factor of two (or to and from the smallest) costs `inertia`/pairs of mean gain per squared step. No
    validation or test interaction is read.

    Args:
        groups: by name; those with one scale are fixed.
        shots: few-shot pairs, at least one.
        inertia: in units of gain.
        seed: draws the pairs and columns where there are too many.
    """
    chosen = {n: group.scales[0] if len(group.scales) == 1 else group.prior for n, group in groups.items()}
    free = [name for name, group in groups.items() if len(group.scales) > 1]
    if not free:
        return chosen
    board = _Board(groups, shots, seed)
    best = board.gain(chosen) - inertia * _distance(groups, chosen) / board.pairs
    for _ in range(3):
        before = dict(chosen)
        for name in free:
            for scale in groups[name].scales:
                if scale == chosen[name]:
                    continue
                tried = chosen | {name: scale}
                value = board.gain(tried) - inertia * _distance(groups, tried) / board.pairs
                if value > best:
                    best, chosen = value, tried
        if chosen == before:
            break
    return chosen


def _distance(groups: Mapping[str, Group], scales: Mapping[str, float]) -> float:
    """Squared steps of factor two between scales and priors."""
    total = 0.0
    for name, group in groups.items():
        if len(group.scales) > 1:
            floor = min(s for s in group.scales if s > 0) / 2
            total += float(np.log2(max(scales[name], floor) / max(group.prior, floor)) ** 2)
    return total


class _Board:
    """Left-out scores of a sample of few-shot pairs, one block a group."""

    def __init__(self, groups: Mapping[str, Group], shots: Shots, seed: int) -> None:
        rng = np.random.default_rng(seed)
        columns = _sample(rng, shots.n_items, _COLUMNS)
        pairs = _sample(rng, len(shots.item), max(1, min(_PAIRS, _ENTRIES // len(columns))))
        self.pairs = len(pairs)
        # A pair's own item is scored whether it was drawn or not, and for that pair alone.
        shown = np.union1d(columns, shots.item[pairs])
        user, item = shots.user[pairs], np.searchsorted(shown, shots.item[pairs])
        self._item = item
        self._hidden = np.zeros((len(pairs), len(shown)), dtype=bool)
        self._hidden[:, ~np.isin(shown, columns)] = True
        self._hidden[_others(shots, user, item, shown)] = True
        self._hidden[np.arange(len(pairs)), item] = False
        self._scores: dict[str, FloatArray] = {
            name: _mixed([t.left_out(pairs, user, item, shown) for t in group.terms], group.weights)
            for name, group in groups.items()
        }

    def gain(self, scales: Mapping[str, float]) -> float:
        """Mean of 1/log2(1 + rank); ties count half."""
        total = _mixed(list(self._scores.values()), [scales[name] for name in self._scores])
        total[self._hidden] = -np.inf
        own = total[np.arange(len(total)), self._item][:, None]
        above = np.count_nonzero(total > own, axis=1)
        level = np.count_nonzero(total == own, axis=1) - 1
        return float((1.0 / np.log2(2.0 + above + 0.5 * level)).mean())


def _mixed(parts: Sequence[FloatArray], weights: Sequence[float]) -> FloatArray:
    total = parts[0] * np.float32(weights[0])
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        if weight:
            total += np.float32(weight) * part
    return total


def _others(
    shots: Shots, user: IntArray, item: IntArray, columns: IntArray
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where a sampled pair's user holds other few-shot items: (rows, columns)."""
    place = np.full(shots.n_items, -1, np.int64)
    place[columns] = np.arange(len(columns))
    keep = place[shots.item] >= 0
    held = from_coo(shots.user[keep], place[shots.item[keep]], int(shots.user.max()) + 1, len(columns))
    count = held.degrees()[user]
    row = np.repeat(np.arange(len(user)), count)
    entry = np.arange(len(row)) + np.repeat(held.indptr[user] - (np.cumsum(count) - count), count)
    column = held.indices[entry]
    other = column != item[row]
    return row[other], column[other]


def _sample(rng: np.random.Generator, n: int, most: int) -> IntArray:
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))
