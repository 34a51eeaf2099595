"""Whether learned decision paths are the planted ones: NMI, ARI and who is who."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.evaluate.interpret.families import family_strength, intent_families
from hier_dag.evaluate.interpret.partitions import (
    adjusted_rand_index,
    best_matching,
    contingency,
    normalised_mutual_information,
)
from hier_dag.evaluate.interpret.truth import Truth
from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.model.interactions import InteractionEncoding

EVIDENCE = (1, 5, 10, 20)
"""Slices of users: at least so many source training interactions. Users of one pair tell little of why."""


@dataclass(frozen=True)
class Agreement:
    """How alike learned and planted classes are on some users or items.

    Attributes:
        what: `intents` (a user's strongest), `families` (strongest family of intents), `families_as_planted`
            (as many families as planted intents) or `exemplars` (an item's nearest).
        evidence: source interactions that a user or item of this slice has at least.
        things: users or items compared.
        learned: learned classes among them.
        planted: planted classes among them.
        nmi: normalised mutual information, arithmetic mean.
        ari: adjusted Rand index.
    """

    what: str
    evidence: int
    things: int
    learned: int
    planted: int
    nmi: float
    ari: float


@dataclass(frozen=True)
class Match:
    """A learned family and the planted intent that it stands for.

    Attributes:
        family: number.
        planted: name of the planted intent; empty where none is left for it.
        share: of the users whose strongest family it is, those whose strongest planted intent it is.
        users: users whose strongest family it is.
    """

    family: int
    planted: str
    share: float
    users: int


def recovery(
    encoding: InteractionEncoding,
    family: NDArray[np.int64],
    truth: Truth,
    user_pairs: IntArray,
    item_pairs: IntArray,
) -> list[Agreement]:
    """Agreement of intents, families and exemplars with the planted ones, on every slice of evidence.

    Args:
        encoding: what was learned.
        family: int64 [P], family of each intent.
        truth: what was planted.
        user_pairs: int64 [n_users], source training interactions of each user.
        item_pairs: int64 [n_items], of each item.
    """
    as_planted = intent_families(encoding.paths, encoding.exemplars, len(truth.intents))
    learned = {
        "intents": encoding.intents,
        "families": family_strength(encoding.intents, family),
        "families_as_planted": family_strength(encoding.intents, as_planted),
    }
    planted = strongest(truth.users)
    found = [a for what, x in learned.items() for a in _slices(what, strongest(x), planted, user_pairs)]
    nearest = strongest(encoding.memberships())
    return [*found, *_slices("exemplars", nearest, truth.items, item_pairs)]


def matches(families: FloatArray, truth: Truth) -> list[Match]:
    """The planted intent of each family: one to one, so that most users agree (Hungarian method).

    Args:
        families: float32 [n_users, F], strength of each family.
        truth: what was planted.
    """
    learned, planted = strongest(families), strongest(truth.users)
    known = (learned >= 0) & (planted >= 0)
    counts = np.zeros((families.shape[1], len(truth.intents)), np.int64)
    some = contingency(learned[known], planted[known])
    counts[: some.shape[0], : some.shape[1]] = some
    of, users = best_matching(counts), counts.sum(axis=1)
    return [
        Match(
            family=f,
            planted=truth.intents[of[f]] if f in of else "",
            share=float(counts[f, of[f]] / users[f]) if f in of else 0.0,
            users=int(users[f]),
        )
        for f in range(len(counts))
    ]


def strongest(weights: FloatArray) -> NDArray[np.int64]:
    """Column of the largest weight of each row, int64 [n]; -1 for a row of zeros."""
    return np.where(weights.any(axis=1), weights.argmax(axis=1), -1)


def _slices(
    what: str, learned: NDArray[np.int64], planted: NDArray[np.int64], pairs: IntArray
) -> Iterator[Agreement]:
    for least in EVIDENCE:
        of = (learned >= 0) & (planted >= 0) & (pairs >= least)
        if not of.any():
            continue
        a, b = learned[of], planted[of]
        yield Agreement(
            what=what,
            evidence=least,
            things=len(a),
            learned=len(np.unique(a)),
            planted=len(np.unique(b)),
            nmi=normalised_mutual_information(a, b),
            ari=adjusted_rand_index(a, b),
        )
