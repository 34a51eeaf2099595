"""Few-shot transfer: the declared rule that picks the closed form or fine-tuning, carried out."""

from __future__ import annotations

from dataclasses import dataclass

from hier_dag.transfer.closed_form import closed_form, zero_shot
from hier_dag.transfer.dual_transfer import dual_few_shot, dual_zero_shot
from hier_dag.transfer.fine_tune import fine_tune
from hier_dag.transfer.head import HeadState, closed_form_state
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.shots import Shots
from hier_dag.transfer.target import Target
from hier_dag.transfer.vectors import CLOSED_FORM, FINE_TUNED, DomainVectors


@dataclass(frozen=True)
class FewShot:
    """Vectors of one few-shot setting and one seed, with the head that made them."""

    vectors: DomainVectors
    head: HeadState


def zero_shot_vectors(target: Target, params: TransferParams) -> DomainVectors:
    """Vectors without any interaction of the target, as the formulation has them."""
    if target.sides is not None:
        return dual_zero_shot(target, target.sides, params)
    return zero_shot(target)


def chosen_method(shots: Shots, params: TransferParams) -> str:
    """`fine_tuned` from `finetune_min_per_item` few-shot interactions per item, else `closed_form`.

    Depends on the number of training interactions alone, on no validation or test figure.
    """
    return FINE_TUNED if shots.per_item() >= params.finetune_min_per_item else CLOSED_FORM


def few_shot(target: Target, shots: Shots, params: TransferParams) -> list[FewShot]:
    """Transfers with the method that the rule picks: one result a seed, or a single one if no seed matters.

    An encoding of both graphs is weighed by leave-one-out, and fine-tuning adds residuals to it; one of
    content alone has the closed form or the fine-tuned head.

    Args:
        target: zero-shot vectors and predicted popularity.
        shots: few-shot interactions, at least one.
        params: the rule's threshold, the head's hyper-parameters and the seeds.
    """
    method = chosen_method(shots, params)
    sides = target.sides
    if sides is not None:
        made = (
            dual_few_shot(target, sides, shots, params, seed, method == FINE_TUNED) for seed in params.seeds
        )
        return [FewShot(*one) for one in made]
    if method == CLOSED_FORM:
        vectors = closed_form(target, shots, params.kappa, params.lift_weight)
        return [FewShot(vectors, closed_form_state(target, params.kappa, params.lift_weight))]
    return [FewShot(*fine_tune(target, shots, params, seed)) for seed in params.seeds]
