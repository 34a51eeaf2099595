"""Transfer of formulation `dual`: zero-shot, leave-one-out weighted few-shot, item residuals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray
from hier_dag.transfer.closed_form import few_shot_origin
from hier_dag.transfer.dual_head import dual_groups, joined, weighted_terms
from hier_dag.transfer.head import HeadState
from hier_dag.transfer.leave_one_out import choose_scales
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.residual import fit_residuals
from hier_dag.transfer.shots import Shots
from hier_dag.transfer.sides import Sides
from hier_dag.transfer.target import Target
from hier_dag.transfer.term import Term
from hier_dag.transfer.vectors import CLOSED_FORM, FINE_TUNED, ZERO_SHOT, DomainVectors, checked, extended
from hier_dag.transfer.zero_shot import zero_shot_blocks

_RESIDUALS = ("content", "path_visitors", "crowd_visitors")


def dual_zero_shot(target: Target, sides: Sides, params: TransferParams) -> DomainVectors:
    """Vectors of `zero_shot_blocks`."""
    users, items = zero_shot_blocks(target, sides, params.head)
    return _vectors(target, users, items, target.item_origin, ZERO_SHOT)


def dual_few_shot(
    target: Target, sides: Sides, shots: Shots, params: TransferParams, seed: int, fine_tuned: bool
) -> tuple[DomainVectors, HeadState]:
    """Scales chosen by leave-one-out, then item residuals where the rule asks for fine-tuning.

    Args:
        target: zero-shot vectors.
        sides: tastes, decision paths and profiles.
        shots: few-shot pairs, at least one.
        params: the head's weights.
        seed: draws leave-one-out's sample and shuffles the pairs.
        fine_tuned: whether residuals are fitted.
    """
    groups = dual_groups(target, sides, shots, params)
    scales = choose_scales(groups, shots, params.head.inertia, seed)
    head = params.head
    parts = weighted_terms(groups, scales)
    residuals: dict[str, FloatArray] = {}
    if fine_tuned and head.residual_epochs:
        parts = _with(parts, groups["content"].terms + groups["crowd"].terms)
        residuals = fit_residuals(
            parts,
            _RESIDUALS,
            shots,
            epochs=head.residual_epochs,
            learning_rate=head.residual_learning_rate,
            batch_size=params.finetune_batch_size,
            seed=seed,
        )
    users, items = joined(parts, residuals)
    method = FINE_TUNED if residuals else CLOSED_FORM
    origin = few_shot_origin(target, shots.counts())
    delta = np.hstack(list(residuals.values())) if residuals else np.zeros((shots.n_items, 0), np.float32)
    state = HeadState(dict(scales), delta, np.zeros(shots.n_items, np.float32))
    return _vectors(target, users, items, origin, method), state


def _with(parts: list[tuple[Term, float]], terms: tuple[Term, ...]) -> list[tuple[Term, float]]:
    """The parts and, at weight 0, the terms that carry residuals and are not among them."""
    there = {term.name for term, _ in parts}
    return parts + [(term, 0.0) for term in terms if term.name in _RESIDUALS and term.name not in there]


def _vectors(
    target: Target, users: FloatArray, items: FloatArray, item_origin: NDArray[np.int8], method: str
) -> DomainVectors:
    # The last coordinate keeps every user's vector from being zero.
    vectors = DomainVectors(
        users=target.users,
        user_vectors=extended([users], np.ones(len(users), np.float32)),
        user_origin=target.user_origin,
        items=target.items,
        item_vectors=extended([items], np.zeros(len(items), np.float32)),
        item_origin=item_origin,
        method=method,
    )
    return checked(vectors, target.domain)
