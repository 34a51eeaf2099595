"""Rank losses: sampled softmax and BPR."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function


def sampled_softmax(
    query: Tensor, own: Tensor, own_bias: Tensor, sampled: Tensor, sampled_bias: Tensor, collides: Tensor
) -> Tensor:
    """Cross-entropy of each row's own item among itself and the sampled items: -log softmax.

    Items are sampled uniformly, so no correction for their proposal is due. One function with a gradient of
    its own: the scores are written once and become the probabilities that the gradient needs.

    Args:
        query: float [v, n, d], v views of each row's user.
        own: float [n, d], z of each row's item.
        own_bias: float [n], its bias.
        sampled: float [m, d], z of the sampled items.
        sampled_bias: float [m].
        collides: int64 [c, 2], (row, sampled item) where that is the row's own item; left out.

    Returns:
        float [v, n].
    """
    return _SampledSoftmax.apply(query, own, own_bias, sampled, sampled_bias, collides)


class _SampledSoftmax(Function):
    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        own: Tensor,
        own_bias: Tensor,
        sampled: Tensor,
        sampled_bias: Tensor,
        collides: Tensor,
    ) -> Tensor:
        views, rows, _ = query.shape
        scores = torch.addmm(sampled_bias, query.flatten(0, 1), sampled.T).view(views, rows, len(sampled))
        scores[:, collides[:, 0], collides[:, 1]] = -torch.inf
        positive = (query * own).sum(2) + own_bias
        top = torch.maximum(scores.amax(2), positive)
        p, p_own = scores.sub_(top[:, :, None]).exp_(), torch.exp(positive - top)
        total = p.sum(2) + p_own
        ctx.save_for_backward(query, own, sampled, p.div_(total[:, :, None]), p_own / total)
        return total.log() + (top - positive)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        query, own, sampled, p, p_own = ctx.saved_tensors
        grad = grads[0]
        to_scores = (p * grad[:, :, None]).flatten(0, 1)
        to_positive = (p_own - 1) * grad
        to_query = torch.addcmul((to_scores @ sampled).view(query.shape), to_positive[:, :, None], own)
        to_own = (to_positive[:, :, None] * query).sum(0)
        to_sampled = to_scores.T @ query.flatten(0, 1)
        return to_query, to_own, to_positive.sum(0), to_sampled, to_scores.sum(0), None


def bpr(positive: Tensor, negative: Tensor) -> Tensor:
    """Bayesian personalised ranking: mean of -log σ(positive - negative).

    Args:
        positive: float32 [n].
        negative: float32 [n], score of one sampled item of the same domain.

    Returns:
        Scalar.
    """
    return F.softplus(negative - positive).mean()
