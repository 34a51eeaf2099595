"""The one training loop of all trained baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hier_dag.evaluate.baselines.trained.bipartite import Bipartite
from hier_dag.evaluate.baselines.trained.recommender import Recommender


@dataclass(frozen=True)
class Pairs:
    """Interactions of one domain.

    Attributes:
        user: int64 [n].
        item: int64 [n], item numbers.
        catalogue: int64 [m], items that negatives are drawn from.
    """

    user: Tensor
    item: Tensor
    catalogue: Tensor


@dataclass(frozen=True)
class Training:
    """How a baseline is trained.

    Attributes:
        steps: optimiser steps.
        learning_rate: Adam's.
        decay: weight of the squared norms of a batch's user and item vectors.
        target_share: weight of the target's loss where sources are trained, too.
        batch: most pairs of a domain in a step.
        negatives: most items of the domain that each pair is contrasted with.
    """

    steps: int
    learning_rate: float = 0.01
    decay: float = 1e-4
    target_share: float = 0.5
    batch: int = 2048
    negatives: int = 1024


def train(
    model: Recommender,
    edges: Bipartite,
    sources: Sequence[Pairs],
    target: Pairs | None,
    training: Training,
    generator: torch.Generator,
) -> None:
    """Minimises the rank loss in place.

    A step takes a batch of one source, drawn by its number of pairs, and a batch of the target. The
    target's few pairs are thus oversampled.

    Args:
        model: what is trained.
        edges: users × items graph that it is trained on.
        sources: pairs of each source; may be empty.
        target: few-shot pairs, or None while only sources are trained.
        training: hyper-parameters.
        generator: draws batches and negatives.
    """
    optimiser = torch.optim.Adam(model.parameters(), lr=training.learning_rate)
    sources = [pairs for pairs in sources if len(pairs.user)]
    if not sources and target is None:
        return
    sizes = torch.tensor([float(len(pairs.user)) for pairs in sources])
    share = 0.0 if target is None else training.target_share if sources else 1.0
    model.train()
    for _ in range(training.steps):
        users, items, loss = model.embed(edges)
        if share < 1.0:
            drawn = sources[int(torch.multinomial(sizes, 1, generator=generator))]
            loss = loss + (1.0 - share) * rank_loss(users, items, drawn, training, generator)
        if target is not None and share > 0.0:
            loss = loss + share * rank_loss(users, items, target, training, generator)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    model.eval()


def rank_loss(
    users: Tensor, items: Tensor, pairs: Pairs, training: Training, generator: torch.Generator
) -> Tensor:
    """Softmax cross-entropy of a batch's items among shared items of their domain, mean; plus decay.

    The softmax is over the whole catalogue where that has at most `training.negatives` items.

    Args:
        users: float32 [n_users, d].
        items: float32 [n_items, d].
        pairs: interactions of one domain.
        training: batch, negatives and decay.
        generator: draws them.
    """
    at = _draw(len(pairs.user), training.batch, generator)
    negative = pairs.catalogue[_draw(len(pairs.catalogue), training.negatives, generator)]
    q, item = users.index_select(0, pairs.user[at]), pairs.item[at]
    z = items.index_select(0, item)
    positive = (q * z).sum(dim=1)
    others = (q @ items.index_select(0, negative).T).masked_fill(
        item[:, None] == negative[None, :], -torch.inf
    )
    loss = F.softplus(torch.logsumexp(others, dim=1) - positive).mean()
    return loss + training.decay * (q.square().sum(dim=1) + z.square().sum(dim=1)).mean()


def _draw(n: int, most: int, generator: torch.Generator) -> Tensor:
    """All of [0, n) where that is not too many, else `most` of them with replacement; int64."""
    return torch.arange(n) if n <= most else torch.randint(n, (most,), generator=generator)
