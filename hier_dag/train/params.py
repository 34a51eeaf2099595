"""Hyper-parameters of pre-training, as declared under `stages.pretrain` in domains.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hier_dag.parameters import Mistake, refuse, wrong_numbers, wrong_words

CHOICES = {
    "model": ("dual", "recommended", "literal"),
    "interaction_paths": ("topics", "histories", "user_clusters", "shuffled"),
    "aggregation": ("attention", "mean"),
    "rank_loss": ("softmax", "bpr"),
    "bottleneck": ("infonce", "hsic"),
    "graph": ("auto", "full", "sampled"),
    "precision": ("float32", "bfloat16"),
    "device": ("auto", "cpu", "cuda"),
}
"""Parameters that take one of a few words; `model` by the names of `hier_dag/model/registry.py`."""

_AT_LEAST_ONE = (
    "dim", "intents", "exemplars", "interaction_dim", "profile_dim", "epochs", "patience", "batch_size",
    "negatives", "neighbour_fanout", "history_fanout", "validation_users",
)  # fmt: skip
_POSITIVE = ("learning_rate", "gate_lr_multiplier", "temperature", "clip")
_NOT_NEGATIVE = (
    "mi_weight", "exemplar_weight", "path_weight", "auxiliary_weight", "l2_weight", "rehearsal_pairs",
    "layers", "seed", "threads",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PretrainParams:
    """Everything that decides a pre-trained encoder besides the knowledge graph.

    Attributes:
        model: registered formulation, `dual`, `recommended` or `literal`.
        dim: width d of every vector.
        layers: layers of the KG encoder; 0 (not with `literal`) leaves entities without their neighbours.
        aggregation: of the KG encoder of `literal`: relational `attention` or `mean`.
        rank_loss: of `dual` and `recommended`: `softmax` over sampled items, or `bpr` against one.
        intents: P, number of intents.
        exemplars: K, number of exemplars.
        content_paths: whether intents enhance users on the content side; without, h̃_u = h_u, which keeps the
            score's scale and both rank losses: the matched control of the decision path there.
        interaction_paths: what the decision paths of the interaction side are made of: `topics`, or one of
            the controls `histories`, `user_clusters`, `shuffled` (`hier_dag/model/interactions.py`).
        interaction_dim: width of the vectors over the users × items graph (`dual`).
        profile_dim: width of the entity profiles (`dual`).
        epochs: passes over the source training interactions at most.
        patience: epochs without a better validation NDCG@10 before stopping.
        batch_size: interactions a step.
        negatives: sampled negatives a step, drawn from the same domain.
        graph: `full` encodes every content node in each step; `sampled` draws neighbours and histories around
            a batch (not with `literal`); `auto` takes the full graph where an estimate says that it fits into
            memory (`memory.py`).
        neighbour_fanout: neighbours of a content node drawn in each layer at most, in sampled training.
        history_fanout: items drawn from each user's history at most, in sampled training.
        learning_rate: peak of the one-cycle schedule.
        gate_lr_multiplier: factor on the learning rate of the gates' log alpha; at 1 no gate closes.
        mi_weight: weight of the information-bottleneck term (lambda 1).
        exemplar_weight: weight of exemplar contrastive learning (lambda 2).
        bottleneck: estimator of that term: `infonce` or `hsic`.
        path_weight: weight of the expected number of open gates, as a share (lambda 3).
        auxiliary_weight: weight of the rank loss on the intent-enhanced user view alone.
        l2_weight: weight of the mean squared norm of user vectors.
        temperature: tau of the contrastive terms and of intent attention.
        clip: largest gradient norm.
        rehearsal_pairs: held-out pairs of each source that plays the target, to learn how far few-shot
            transfer may trust the crowd (`rehearsal.py`); 0 learns nothing, and transfer has a fixed prior.
        validation_users: users sampled per source domain to score an epoch.
        seed: seeds initialisation, sampling and shuffling.
        precision: of the products in heads and decision paths of `dual` and `recommended`; weights, sums over
            neighbours and losses are float32 either way. `bfloat16` is for GPUs that have units for it.
        device: `auto` (GPU where there is one), `cpu` or `cuda`.
        threads: CPU threads; 0 means all cores.
    """

    model: str = "dual"
    dim: int = 64
    layers: int = 2
    aggregation: str = "attention"
    rank_loss: str = "softmax"
    intents: int = 64
    exemplars: int = 128
    content_paths: bool = True
    interaction_paths: str = "topics"
    interaction_dim: int = 64
    profile_dim: int = 256
    epochs: int = 5
    patience: int = 2
    batch_size: int = 2048
    negatives: int = 256
    graph: str = "auto"
    neighbour_fanout: int = 16
    history_fanout: int = 64
    learning_rate: float = 1.6e-2
    gate_lr_multiplier: float = 20.0
    mi_weight: float = 0.02
    exemplar_weight: float = 0.1
    bottleneck: str = "infonce"
    path_weight: float = 0.1
    auxiliary_weight: float = 1.0
    l2_weight: float = 1e-5
    temperature: float = 0.2
    clip: float = 5.0
    rehearsal_pairs: int = 2000
    validation_users: int = 2000
    seed: int = 0
    precision: str = "float32"
    device: str = "auto"
    threads: int = 0

    # Read by pydantic when domains.yaml is checked; the worker itself does not need pydantic.
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    def __post_init__(self) -> None:
        refuse(self._mistakes())

    def _mistakes(self) -> Iterator[Mistake]:
        yield from wrong_numbers(self, _AT_LEAST_ONE, lambda v: v >= 1, "be at least 1")
        yield from wrong_numbers(self, _POSITIVE, lambda v: v > 0, "be positive and finite")
        yield from wrong_numbers(self, _NOT_NEGATIVE, lambda v: v >= 0, "be finite and not negative")
        for name, allowed in CHOICES.items():
            yield from wrong_words(name, (getattr(self, name),), allowed)
