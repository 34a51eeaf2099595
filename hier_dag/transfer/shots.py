"""Few-shot subsets of a target's training interactions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import IntArray
from hier_dag.graph.knowledge_graph import TEST, TRAIN, KnowledgeGraph
from hier_dag.graph.training_pairs import Used


@dataclass(frozen=True)
class Shots:
    """The training interactions of one few-shot setting, as positions.

    Attributes:
        name: "k", "q%" or "all".
        user: int64 [m], position in graph.audience[domain].
        item: int64 [m], position in graph.catalogue[domain].
        n_items: length of the catalogue.
    """

    name: str
    user: IntArray
    item: IntArray
    n_items: int

    def counts(self) -> IntArray:
        """n_i, int64 [n_items]: few-shot visitors of each item."""
        return np.bincount(self.item, minlength=self.n_items)

    def per_item(self) -> float:
        """Few-shot interactions for each item of the catalogue."""
        return len(self.item) / max(1, self.n_items)


def draw_shots(graph: KnowledgeGraph, domain: str, name: str) -> Shots:
    """Draws a setting from training pairs alone: the first k of each user, q % of the domain, or all.

    A share is of *all* the domain's interactions (hier.md, "Protocol used"): 1 % of a domain with 10,000
    pairs is 100 training pairs, whatever part of the domain its split leaves for training; all of them
    where the split leaves fewer. Which pairs those are is drawn by `share_rank`.

    Args:
        graph: interactions, their splits and their ranks.
        domain: the target.
        name: "k" (shot_rank <= k), "q%" or "all".
    """
    pairs = graph.interactions[domain]
    keep = pairs.split == TRAIN
    if name.endswith("%"):
        keep = _lowest(pairs.share_rank, keep, round(float(name[:-1]) / 100.0 * len(keep)))
    elif name != "all":
        keep &= pairs.shot_rank <= int(name)
    return Shots(
        name=name,
        user=positions(graph.audience[domain], pairs.user[keep]),
        item=positions(graph.catalogue[domain], pairs.item[keep]),
        n_items=len(graph.catalogue[domain]),
    )


def settings_of(graph: KnowledgeGraph, domain: str, scored: Iterable[str], published: str) -> list[str]:
    """The few-shot settings that a transfer draws: those to score, where a pair tests, and the published.

    Args:
        graph: holds the domain's splits.
        domain: the target.
        scored: settings to score.
        published: the setting whose vectors are published.
    """
    judged = bool((graph.interactions[domain].split == TEST).any())
    return list(dict.fromkeys([*(scored if judged else ()), published]))


def used_pairs(graph: KnowledgeGraph, domain: str, drawn: Sequence[Shots]) -> Used:
    """Every pair of some settings once, by dense numbers."""
    users, items = graph.audience[domain], graph.catalogue[domain]
    codes = [shots.user * len(items) + shots.item for shots in drawn]
    each = np.unique(np.concatenate(codes)) if codes else np.zeros(0, np.int64)
    user, item = np.divmod(each, max(1, len(items)))
    return Used(domain, (domain,), users[user], items[item])


def _lowest(rank: NDArray[np.float64], among: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    """The n entries of lowest rank among those marked."""
    marked = np.flatnonzero(among)
    chosen = np.zeros(len(among), dtype=bool)
    chosen[marked[np.argsort(rank[marked], kind="stable")[:n]]] = True
    return chosen


def positions(ascending: IntArray, numbers: IntArray) -> IntArray:
    """Position of each number in an ascending array that holds it, int64 [m]."""
    return np.searchsorted(ascending, numbers)
