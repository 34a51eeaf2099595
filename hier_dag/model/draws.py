"""Random draws, all from torch's CPU generator: training on a GPU draws what training on CPU does."""

from __future__ import annotations

import torch
from torch import Tensor

_PERMUTED = 1 << 15  # places; beyond, a permutation costs more than what is drawn from it


def some_of(n: int, limit: int, device: torch.device) -> Tensor:
    """Distinct places of n, each equally likely, int64: at most `limit`, and of few all, in random order.

    Args:
        n: places to draw from.
        limit: most to draw.
        device: where they are needed.
    """
    if n <= max(_PERMUTED, 2 * limit):
        return torch.randperm(n)[:limit].to(device)
    return torch.randint(n, (limit,)).unique().to(device)  # a few are drawn twice


def uniform_like(x: Tensor) -> Tensor:
    """As x, each uniform in [0, 1)."""
    return torch.rand(x.shape, dtype=x.dtype).to(x.device)
