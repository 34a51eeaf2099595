"""Transfer from content alone, without gradients: zero-shot vectors and the few-shot closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.model.encoding import TRAINED
from hier_dag.transfer.shots import Shots
from hier_dag.transfer.target import Target
from hier_dag.transfer.vectors import CLOSED_FORM, ZERO_SHOT, DomainVectors, checked, extended


def zero_shot(target: Target) -> DomainVectors:
    """s0(u, i) = q_u · z_i + b_i (hier.md, eq. e): users [q | 1], items [z | b]."""
    return _vectors(target, target.z, target.bias, target.item_origin, ZERO_SHOT)


def closed_form(target: Target, shots: Shots, kappa: float, lift_weight: float) -> DomainVectors:
    """Few-shot vectors of s = log(n_i + kappa·pi_i) + w·lift(u, i) (hier.md, eqs. f and g, alpha = 1).

    lift(u, i) = s0(u, i) − log Z_u − log pi_i; log Z_u is the same for all items of a user and drops out of
    the ranking, so users are [q | 1] and items [w·z | log(n + kappa·pi) + w·(b − log pi)].

    Args:
        target: zero-shot vectors and predicted popularity.
        shots: few-shot interactions.
        kappa: prior strength, in interactions.
        lift_weight: w.
    """
    counts = shots.counts()
    bias = smoothed_log_counts(counts, target.log_prior, kappa) + lift_weight * (
        target.bias - target.log_prior
    )
    return _vectors(
        target,
        lift_weight * target.z,
        bias.astype(np.float32),
        few_shot_origin(target, counts),
        CLOSED_FORM,
    )


def smoothed_log_counts(
    counts: IntArray, log_prior: NDArray[np.float64], kappa: float
) -> NDArray[np.float64]:
    """log(n_i + kappa·pi_i), float64 [m]."""
    return np.log(counts + kappa * np.exp(log_prior))


def few_shot_origin(target: Target, counts: IntArray) -> NDArray[np.int8]:
    """Origin of items once few-shot interactions are known: TRAINED where there is one."""
    return np.where(counts > 0, np.int8(TRAINED), target.item_origin).astype(np.int8)


def _vectors(
    target: Target, content: FloatArray, bias: FloatArray, item_origin: NDArray[np.int8], method: str
) -> DomainVectors:
    one = np.ones(len(target.users), dtype=np.float32)
    return checked(
        DomainVectors(
            users=target.users,
            user_vectors=extended([target.q], one),
            user_origin=target.user_origin,
            items=target.items,
            item_vectors=extended([content], bias),
            item_origin=item_origin,
            method=method,
        ),
        target.domain,
    )
