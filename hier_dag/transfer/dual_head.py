"""The few-shot head over both graphs: which terms there are, and how they become vectors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hier_dag.graph.csr import FloatArray
from hier_dag.model.crowd_trust import UNREHEARSED
from hier_dag.transfer import terms
from hier_dag.transfer.head_params import HeadParams
from hier_dag.transfer.leave_one_out import Group
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.shots import Shots
from hier_dag.transfer.sides import Sides
from hier_dag.transfer.target import Target
from hier_dag.transfer.taste import taste
from hier_dag.transfer.term import Term


def dual_groups(target: Target, sides: Sides, shots: Shots, params: TransferParams) -> dict[str, Group]:
    """Terms by the scale that they share.

    `base` is popularity and entity profiles, always there. `crowd` is who goes where with whom: decision
    paths, the kernel over their profiles and over tastes. `taste` is the kernel over trained content vectors,
    `content` the trained content score. Where content is all news to the sources, leave-one-out turns it off;
    where every domain has its own crowd, it turns the crowd down.

    Args:
        target: zero-shot vectors.
        sides: tastes, decision paths and profiles.
        shots: few-shot pairs.
        params: weights within the groups, priors and choices of the scales.
    """
    n, p, kappa = len(target.users), params.head, params.kappa
    log_prior = target.log_prior
    popular = terms.popularity(shots, log_prior, kappa, n)
    base = (
        popular,
        terms.profile(sides.profile_users, sides.profile_items),
        terms.own_profile(sides.profile_items, shots, n),
    )
    crowd = (
        terms.paths(sides.path_profiles, shots, log_prior, kappa),
        terms.visitors("path_visitors", sides.path_tastes, shots),
        terms.visitors("crowd_visitors", sides.tastes, shots),
    )
    crowd_weights = (p.paths_weight, p.path_visitors_weight, p.crowd_visitors_weight)
    alike = terms.visitors("taste_visitors", taste(target), shots)
    score = terms.content(target.q, target.z, target.bias, log_prior)
    return {
        "base": Group(base, (1.0, p.profile_weight, p.own_profile_weight)),
        "crowd": Group(crowd, crowd_weights, p.crowd_scales, crowd_prior(sides, shots, p)),
        "taste": Group((alike,), (p.taste_weight,), p.taste_scales, p.taste_prior),
        "content": Group((score,), (p.content_weight,), p.content_scales, p.content_prior),
    }


def crowd_prior(sides: Sides, shots: Shots, head: HeadParams) -> float:
    """The declared prior of the crowd's scale, else the rehearsed one, else that of sources seen so far."""
    if head.crowd_prior is not None:
        return head.crowd_prior
    return UNREHEARSED if sides.trust is None else sides.trust.prior(shots.per_item())


def weighted_terms(groups: Mapping[str, Group], scales: Mapping[str, float]) -> list[tuple[Term, float]]:
    """Every term with its weight times its group's scale, those of weight zero left out."""
    return [
        (term, weight * scales[name])
        for name, group in groups.items()
        for term, weight in zip(group.terms, group.weights, strict=True)
        if weight * scales[name] != 0
    ]


def joined(
    parts: list[tuple[Term, float]], residuals: Mapping[str, FloatArray] | None = None
) -> tuple[FloatArray, FloatArray]:
    """Users and items of a weighted sum of terms, float32 [n, D] and [m, D].

    Terms that share an item block (both entity profiles) share its columns.

    Args:
        parts: terms and weights.
        residuals: by name of a term, float32 [m, D_term] to add to its items.
    """
    residuals = residuals or {}
    users: list[FloatArray] = []
    items: list[FloatArray] = []
    place: dict[int, int] = {}
    for term, weight in parts:
        if term.name in residuals:
            users.append(term.users)
            items.append(np.float32(weight) * term.items + residuals[term.name])
            continue
        shared = place.setdefault(id(term.items), len(users))
        if shared < len(users):
            users[shared] = users[shared] + np.float32(weight) * term.users
        else:
            users.append(np.float32(weight) * term.users)
            items.append(term.items)
    return np.hstack(users), np.hstack(items)
