"""Which entities a group of items has more of than the platform: what it can be named after."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

_EVIDENCE = 1.0  # standard errors. A name describes; whether it beats chance is for `chance.py` to say
_SUPPORT = 1.5  # items with the entity: a single item, however typical, names nothing


def log_odds(counts: Scores) -> Scores:
    """Log-odds of each entity in each group against all other groups, in standard errors, float64 [G, E].

    Monroe, Colaresi & Quinn 2008 (*Fightin' words*, eq. 16 and 22): δ_ge = log odds of e in g, less those in
    all other groups, over sqrt(1/(y_ge + α_e) + 1/(y_e − y_ge + α_e)). Both start from the same prior α:
    the platform's shares of entities, as heavy as an average group. An entity on no item scores 0. O(G·E).

    Args:
        counts: y, float64 [G, E], items of each group with each entity, weighted.
    """
    entity, group = counts.sum(axis=0), counts.sum(axis=1, keepdims=True)
    total = entity.sum()
    if total <= 0:
        return np.zeros_like(counts)
    weight = total / len(counts)
    prior = weight * entity / total
    inside, outside = counts + prior, entity - counts + prior
    with np.errstate(divide="ignore", invalid="ignore"):
        delta = np.log(inside / (group + weight - inside)) - np.log(
            outside / (total - group + weight - outside)
        )
        z = delta / np.sqrt(1 / inside + 1 / outside)
    return np.where(np.isfinite(z), z, 0.0)


def characteristic(counts: Scores, support: Scores, most: int) -> list[list[tuple[int, float]]]:
    """The entities that tell each group from the others, best first: (number, standard errors).

    Args:
        counts: float64 [G, E], items of each group with each entity, weighted.
        support: float64 [G, E], the same, unweighted: an entity needs two items to count.
        most: entities a group at most.
    """
    z = np.where(support >= _SUPPORT, log_odds(counts), 0.0)
    top = np.argsort(-z, axis=1, kind="stable")[:, :most]
    score = np.take_along_axis(z, top, axis=1)
    return [
        [(int(e), float(s)) for e, s in zip(row, scores, strict=True) if s >= _EVIDENCE]
        for row, scores in zip(top, score, strict=True)
    ]
