"""Exemplar-level contrastive learning: an entity must be recognisable from its exemplars."""

from __future__ import annotations

import torch
from torch import Tensor

from hier_dag.model.contrast import info_nce


def exemplar_view(entities: Tensor, exemplars: Tensor, temperature: float) -> Tensor:
    """h'_e = Σ_k softmax(M·h_e/τ)_k·m_k, the entity as a mixture of exemplars (hier.md, literal 5).

    Args:
        entities: h_e, float32 [n, d].
        exemplars: M, float32 [K, d].
        temperature: τ.

    Returns:
        float32 [n, d].
    """
    return torch.softmax(entities @ exemplars.T / temperature, dim=1) @ exemplars


def exemplar_contrast(entities: Tensor, exemplars: Tensor, temperature: float) -> Tensor:
    """InfoNCE between entities and their exemplar views, in batch, by cosine (hier.md, literal 5).

    Args:
        entities: h_e, float32 [n, d].
        exemplars: M, float32 [K, d].
        temperature: τ.

    Returns:
        Scalar.
    """
    return info_nce(entities, exemplar_view(entities, exemplars, temperature), temperature)
