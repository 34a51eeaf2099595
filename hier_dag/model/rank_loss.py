"""Rank losses: sampled softmax and BPR."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def sampled_softmax(positive: Tensor, negatives: Tensor, collides: Tensor) -> Tensor:
    """Cross-entropy of the positive among itself and sampled negatives, summed over rows.

    Negatives are drawn uniformly, so no correction for their proposal is due.

    Args:
        positive: float32 [n], score of each row's item.
        negatives: float32 [n, m], scores of the sampled items.
        collides: bool [n, m], where a sampled item is the row's own positive; left out.

    Returns:
        Scalar: sum of -log softmax.
    """
    logits = torch.cat([positive[:, None], negatives.masked_fill(collides, -torch.inf)], dim=1)
    return (torch.logsumexp(logits, dim=1) - positive).sum()


def bpr(positive: Tensor, negative: Tensor) -> Tensor:
    """Bayesian personalised ranking: mean of -log σ(positive - negative).

    Args:
        positive: float32 [n].
        negative: float32 [n], score of one sampled item of the same domain.

    Returns:
        Scalar.
    """
    return F.softplus(negative - positive).mean()
