"""Information-bottleneck contrast: the intent-enhanced view should diverge from the original one."""

from __future__ import annotations

import math

from torch import Tensor

from hier_dag.model.contrast import info_nce


def bottleneck_contrast(enhanced: Tensor, original: Tensor, temperature: float) -> Tensor:
    """max(0, log|B| + mean log-softmax cos(h̃_u, h_u)/τ), to be minimised (hier.md, literal 6).

    This is InfoNCE's estimate of the mutual information I(h̃; h), clamped at independence: below it there
    is nothing left to forget, and an unclamped term would push views apart for ever.

    Args:
        enhanced: h̃, float32 [n, d], one row a distinct user.
        original: h, float32 [n, d].
        temperature: τ.

    Returns:
        Scalar in [0, log n], nats.
    """
    return (math.log(len(enhanced)) - info_nce(enhanced, original, temperature)).clamp(min=0)
