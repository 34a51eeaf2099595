"""Hyper-parameters of transfer to a target domain, as declared under `stages.transfer` in domains.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hier_dag.parameters import Mistake, refuse, wrong_numbers, wrong_words
from hier_dag.transfer.head_params import HeadParams

# The registries of hier_dag/evaluate/baselines are filled on import, the trained one with torch, which a
# check of domains.yaml does without.
FAST_BASELINES = (
    "kg_degree", "ease", "entity_popularity", "entity_profile", "entity_mix", "item_knn",
    "item_knn_popularity", "popularity", "random", "twin",
)  # fmt: skip
"""Baselines in closed form, scored at every transfer."""

TRAINED_BASELINES = ("mf", "lightgcn_few_shot", "lightgcn", "lightgcn_popularity", "xsimgcl", "kgin")
"""Baselines trained by gradients, scored where `trained_baselines` declares them."""

_SHOTS = re.compile(r"[1-9][0-9]*|(?:100|(?!0(?:\.0+)?%)[1-9]?[0-9](?:\.[0-9]+)?)%|all")
_AT_LEAST_ONE = ("bootstrap", "finetune_epochs", "finetune_batch_size")


@dataclass(frozen=True, kw_only=True)
class TransferParams:
    """How a target's zero-shot and few-shot vectors are made and scored.

    Attributes:
        shots: few-shot settings to report: "k" training interactions per user, "q%" of the
            domain's training interactions, or "all" of them. Zero-shot is always reported.
        publish_shots: the setting whose vectors are published.
        seeds: seeds of fine-tuning and of tie breaking, different whole numbers from 0 on.
        trained_baselines: those of `TRAINED_BASELINES` that are scored beside the closed-form ones; each
            costs seconds to minutes a target and setting.
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

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TransferParams:
        """From what `dataclasses.asdict` gave, as JSON has it: every list is a tuple."""
        head = HeadParams(**_tuples(value["head"]))
        return cls(**_tuples(value) | {"head": head})

    def __post_init__(self) -> None:
        refuse(self._mistakes())

    def _mistakes(self) -> Iterator[Mistake]:
        yield from _wrong_shots("shots", self.shots)
        yield from _wrong_shots("publish_shots", (self.publish_shots,))
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            message = f"seeds must be one or more different whole numbers from 0 on, is {list(self.seeds)}"
            yield Mistake("seeds", message)
        yield from wrong_words("trained_baselines", self.trained_baselines, TRAINED_BASELINES)
        positive = ("kappa", "finetune_learning_rate")
        yield from wrong_numbers(self, positive, lambda v: v > 0, "be positive and finite")
        yield from wrong_numbers(self, ("lift_weight", "visitor_weight"), lambda v: True, "be finite")
        # Infinity is no JSON, so no request could hold it.
        bound = "be finite and not negative (to never fine-tune, write a large number such as 1000000)"
        yield from wrong_numbers(self, ("finetune_min_per_item",), lambda v: v >= 0, bound)
        yield from wrong_numbers(self, _AT_LEAST_ONE, lambda v: v >= 1, "be at least 1")
        if not self.cutoffs or min(self.cutoffs) < 1:
            message = f"cutoffs must be one or more numbers from 1 on, is {list(self.cutoffs)}"
            yield Mistake("cutoffs", message)


def _tuples(value: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}


def _wrong_shots(name: str, settings: tuple[str, ...]) -> Iterator[Mistake]:
    kinds = 'a count such as "3", a share above 0 % such as "1%", or "all"'
    for setting in settings:
        if not _SHOTS.fullmatch(setting):
            yield Mistake(name, f"{name} must be {kinds}, not {setting!r}")
