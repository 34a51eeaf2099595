"""Few-shot transfer: the declared rule that picks the closed form or fine-tuning, carried out."""

from __future__ import annotations

from dataclasses import dataclass

from hier_dag.transfer.closed_form import closed_form
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


def chosen_method(shots: Shots, params: TransferParams) -> str:
    """`fine_tuned` from `finetune_min_per_item` few-shot interactions per item, else `closed_form`.

    Depends on the number of training interactions alone, on no validation or test figure.
    """
    return FINE_TUNED if shots.per_item() >= params.finetune_min_per_item else CLOSED_FORM


def few_shot(target: Target, shots: Shots, params: TransferParams) -> list[FewShot]:
    """Transfers with the method that the rule picks: one result a seed, or a single one if no seed matters.

    Args:
        target: zero-shot vectors and predicted popularity.
        shots: few-shot interactions, at least one.
        params: the rule's threshold, the head's hyper-parameters and the seeds.
    """
    if chosen_method(shots, params) == CLOSED_FORM:
        vectors = closed_form(target, shots, params.kappa, params.lift_weight)
        return [FewShot(vectors, closed_form_state(target, params.kappa, params.lift_weight))]
    return [FewShot(*fine_tune(target, shots, params, seed)) for seed in params.seeds]
