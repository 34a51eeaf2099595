"""Decision paths: intents (why) reach exemplars (what kind of item) through gates."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hier_dag.model.gates import HardConcrete

_EPS = 1e-8


class DecisionPaths(nn.Module):
    """The decision path network (hier.md, literal 4).

    w_pk = Z_pk·exp(c_p·m_k/√d) / (ε + Σ_k Z_pk·exp(c_p·m_k/√d)),  c̃_p = Σ_k Z_pk·w_pk·m_k,
    a_u = softmax(C·h_u/τ),  h̃_u = h_u + Σ_p a_up·(c_p + c̃_p).

    Args:
        intents: P.
        exemplars: K.
        dim: d.
        temperature: τ of intent attention.
        enabled: False leaves h̃_u = h_u, the control that keeps everything but the paths.
    """

    def __init__(
        self, intents: int, exemplars: int, dim: int, temperature: float, enabled: bool = True
    ) -> None:
        super().__init__()
        self.intents = nn.Parameter(torch.empty(intents, dim))
        self.exemplars = nn.Parameter(torch.empty(exemplars, dim))
        self.gates = HardConcrete(intents, exemplars)
        self.temperature, self.enabled = temperature, enabled
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Small random intents and exemplars: norm about 0.8 at d = 64, that of an entity's own vector."""
        nn.init.normal_(self.intents, std=0.1)
        nn.init.normal_(self.exemplars, std=0.1)
        self.gates.reset_parameters()

    def weights(self, gates: Tensor) -> Tensor:
        """Mixing weights w of the exemplars in each intent, float32 [P, K].

        Args:
            gates: Z, float32 [P, K].
        """
        scores = self.intents @ self.exemplars.T / self.intents.shape[1] ** 0.5
        # Shifting by the largest open score scales numerator and denominator alike; only ε's share moves.
        # Closed scores stay out of it: a far larger one would make every open path vanish beside ε.
        scores = scores.masked_fill(gates == 0, -torch.inf)
        top = scores.detach().amax(1, keepdim=True)
        paths = gates * torch.exp(scores - top.masked_fill(top.isinf(), 0))
        return paths / (_EPS + paths.sum(1, keepdim=True))

    def draw(self) -> Tensor | None:
        """Gates to give to `forward`, float32 [P, K], sampled in training mode; None without paths."""
        return self.gates() if self.enabled else None

    def mixtures(self, gates: Tensor) -> Tensor:
        """c̃, the gated exemplar mixture of each intent, float32 [P, d].

        Args:
            gates: Z, float32 [P, K].
        """
        return (gates * self.weights(gates)) @ self.exemplars

    def attention(self, users: Tensor) -> Tensor:
        """a_u, how strongly each intent drives each user.

        Args:
            users: h_u, float32 [n, d].

        Returns:
            float32 [n, P], rows sum to 1.
        """
        return torch.softmax(users @ self.intents.T / self.temperature, dim=1)

    def forward(self, users: Tensor, gates: Tensor | None = None) -> Tensor:
        """h̃_u, the intent-enhanced view of each user.

        Args:
            users: h_u, float32 [n, d].
            gates: of `draw`; by default they are drawn here.

        Returns:
            float32 [n, d].
        """
        if not self.enabled:
            return users
        strength = self.attention(users)
        mixtures = self.mixtures(self.gates() if gates is None else gates)
        return users + strength @ (self.intents + mixtures)
