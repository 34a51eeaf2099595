"""In-batch InfoNCE, the estimator behind both contrastive terms."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def info_nce(left: Tensor, right: Tensor, temperature: float) -> Tensor:
    """-mean_b log softmax_{b'}(cos(left_b, right_b')/τ)_b: low where row b knows its own partner.

    Args:
        left: float32 [n, d].
        right: float32 [n, d], partner of each row.
        temperature: τ.

    Returns:
        Scalar; log n where partners cannot be told apart.
    """
    logits = F.normalize(left, dim=1) @ F.normalize(right, dim=1).T / temperature
    return F.cross_entropy(logits, torch.arange(len(left), device=left.device))
