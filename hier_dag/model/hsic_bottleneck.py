"""The bottleneck by HSIC: dependence between the intent-enhanced view and the original one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def hsic_bottleneck(enhanced: Tensor, original: Tensor) -> Tensor:
    """tr(KHLH)/(n − 1)² with Gaussian kernels of the unit rows, to be minimised (Gretton et al. 2005).

    The alternative to InfoNCE's estimate of I(h̃; h) that CGI uses: zero only where the views are independent.
    Each kernel's width is the root mean squared distance of its rows, without gradient.

    Args:
        enhanced: h̃, float32 [n, d], one row a distinct user.
        original: h, float32 [n, d].

    Returns:
        Scalar ≥ 0; 0 for fewer than two rows.
    """
    n = len(enhanced)
    if n < 2:
        return enhanced.sum() * 0
    k, ell = _kernel(enhanced), _kernel(original)
    centred = k - k.mean(0, keepdim=True) - k.mean(1, keepdim=True) + k.mean()
    return (centred * ell).sum() / (n - 1) ** 2


def _kernel(x: Tensor) -> Tensor:
    unit = F.normalize(x, dim=1)
    squared = (2 - 2 * unit @ unit.T).clamp(min=0)
    width = squared.detach().mean().clamp(min=1e-6)
    return torch.exp(-squared / (2 * width))
