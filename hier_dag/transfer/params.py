"""Hyper-parameters of transfer to a target domain, as declared under `stages.transfer` in domains.yaml."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hier_dag.transfer.head_params import HeadParams

_SHOTS = re.compile(r"^(?:[1-9]\d*|(?:100|[1-9]?\d(?:\.\d+)?)%|all)$")


@dataclass(frozen=True, kw_only=True)
class TransferParams:
    """How a target's zero-shot and few-shot vectors are made and scored.

    Attributes:
        shots: few-shot settings to report: "k" training interactions per user, "q%" of the
            domain's training interactions, or "all" of them. Zero-shot is always reported.
        publish_shots: the setting whose vectors are published.
        seeds: seeds of fine-tuning and of tie breaking.
        trained_baselines: baselines trained by gradients that are scored beside the closed-form ones, such as
            `lightgcn`; each costs seconds to minutes a target and setting.
        kappa: strength of the model's prior in smoothed counts (hier.md, eq. g).
        head: the few-shot head of formulation `dual`; the other settings of a head are those of `recommended`
            and `literal`.
        lift_weight: weight w of the user-specific lift in the closed form.
        visitor_weight: start of the weight g of an item's few-shot visitors in the fine-tuned head.
        finetune_min_per_item: few-shot interactions per catalogue item from which fine-tuning
            replaces the closed form; below it the closed form is the better one.
        finetune_epochs: fixed number of epochs.
        finetune_learning_rate: Adam's learning rate.
        finetune_batch_size: training interactions a step.
        cutoffs: K of HR@K and NDCG@K.
        bootstrap: bootstrap resamples of users for the intervals.
    """

    shots: tuple[str, ...] = ("1%", "10%", "1", "3", "5")
    publish_shots: str = "all"
    seeds: tuple[int, ...] = (0, 1, 2)
    trained_baselines: tuple[str, ...] = ()
    kappa: float = 100.0
    head: HeadParams = field(default_factory=HeadParams)
    lift_weight: float = 0.5
    visitor_weight: float = 1.0
    finetune_min_per_item: float = 1.0
    finetune_epochs: int = 4
    finetune_learning_rate: float = 4e-3
    finetune_batch_size: int = 512
    cutoffs: tuple[int, ...] = (10, 50)
    bootstrap: int = 1000

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        for shots in (*self.shots, self.publish_shots):
            if not _SHOTS.match(shots):
                raise ValueError(
                    f'shots must be a count such as "3", a share such as "1%", or "all", not {shots!r}'
                )
        if not 0 < self.kappa < float("inf"):
            raise ValueError(f"kappa must be positive and finite, is {self.kappa}")
        if not self.seeds:
            raise ValueError("seeds must name at least one seed")
        if not self.cutoffs or min(self.cutoffs) < 1:
            raise ValueError("cutoffs must be positive")
        if self.bootstrap < 1 or self.finetune_epochs < 1 or self.finetune_batch_size < 1:
            raise ValueError("bootstrap, finetune_epochs and finetune_batch_size must be at least 1")
