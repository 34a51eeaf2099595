"""Hard-concrete gates: binary switches that gradient descent can close."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from hier_dag.model.draws import uniform_like

BETA = 2 / 3
GAMMA = -0.1
ZETA = 1.1

# The test gate is exactly 0 from here down: sigmoid(log alpha)·(zeta - gamma) + gamma <= 0.
CLOSED_BELOW = math.log(-GAMMA / ZETA)


class HardConcrete(nn.Module):
    """Gates Z in [0, 1] with exact zeros and ones (Louizos et al. 2018; hier.md, literal 3).

    s = σ((log v - log(1-v) + log α)/b), v ~ U(0,1); Z = clip(s(ζ-γ)+γ, 0, 1), b = 2/3, γ = -0.1, ζ = 1.1.
    In evaluation mode Z = clip(σ(log α)(ζ-γ)+γ, 0, 1).

    Args:
        rows: P, number of intents.
        cols: K, number of exemplars.
    """

    def __init__(self, rows: int, cols: int) -> None:
        super().__init__()
        self.log_alpha = nn.Parameter(torch.empty(rows, cols))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Half-open gates with a little noise, so that no two paths start alike."""
        nn.init.normal_(self.log_alpha, mean=0.0, std=0.01)

    def forward(self) -> Tensor:
        """Gates, float32 [rows, cols]: sampled in training mode, deterministic in evaluation mode."""
        if self.training:
            tiny = torch.finfo(self.log_alpha.dtype).eps
            v = uniform_like(self.log_alpha).clamp(tiny, 1 - tiny)
            s = torch.sigmoid((torch.logit(v) + self.log_alpha) / BETA)
        else:
            s = torch.sigmoid(self.log_alpha)
        return (s * (ZETA - GAMMA) + GAMMA).clamp(0, 1)

    def open_probability(self) -> Tensor:
        """P(Z > 0) = σ(log α - b·log(-γ/ζ)) of every gate, float32 [rows, cols]; its sum is E‖Z‖0."""
        return torch.sigmoid(self.log_alpha - BETA * CLOSED_BELOW)

    def open_share(self) -> float:
        """Share of gates whose test gate is not exactly zero."""
        return float((self.log_alpha.detach() > CLOSED_BELOW).float().mean())
