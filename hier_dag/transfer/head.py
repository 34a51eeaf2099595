"""The few-shot head: the scalars and the item corrections that fine-tuning learns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from hier_dag.graph.csr import FloatArray
from hier_dag.transfer.shots import Shots
from hier_dag.transfer.target import Target
from hier_dag.transfer.taste import taste


@dataclass(frozen=True)
class HeadState:
    """What transfer learned from few-shot pairs (hier.md, eq. g).

    Attributes:
        scalars: `alpha` on smoothed log counts, `lift_weight` w, `visitor_weight` g, and `kappa`; with `dual`
            the scale of each group of terms.
        delta: float32 [m, d], item corrections delta_i; all zero in the closed form. With `dual` the
            residuals of several terms side by side, and no column where none was fitted.
        bias: float32 [m], item biases bd_i.
    """

    scalars: dict[str, float]
    delta: FloatArray
    bias: FloatArray


class Head(torch.nn.Module):
    """The few-shot head (hier.md, eq. g).

    s = alpha·log(n_i + kappa·pi_i) + w·lift(u, i) + g·q̂_u·mean_{v∈T_i} q̂_v + q_u·delta_i + bd_i.

    Starts at the closed form (alpha = 1, w as declared, delta = bd = 0) plus g times visitors; q̂ is `taste`.

    Args:
        target: zero-shot vectors and predicted popularity; frozen.
        shots: few-shot interactions: n_i and T_i are made from them.
        kappa: prior strength, fixed.
        lift_weight: start of w.
        visitor_weight: start of g.
    """

    def __init__(
        self, target: Target, shots: Shots, kappa: float, lift_weight: float, visitor_weight: float
    ) -> None:
        super().__init__()
        self.q = torch.from_numpy(target.q)
        self.q_unit = torch.from_numpy(taste(target))
        self.z = torch.from_numpy(target.z)
        counts = torch.from_numpy(shots.counts()).double()
        prior = kappa * torch.from_numpy(target.log_prior).exp()
        self.log_counts = (counts + prior).log().float()
        self.log_counts_less_one = ((counts - 1).clamp_min(0) + prior).log().float()
        self.offset = (torch.from_numpy(target.bias) - torch.from_numpy(target.log_prior)).float()
        self.counts = counts.float()
        visits = torch.zeros_like(self.z)
        visits.index_add_(0, torch.from_numpy(shots.item), self.q_unit[torch.from_numpy(shots.user)])
        self.visits = visits
        self.kappa = kappa
        self.alpha = torch.nn.Parameter(torch.tensor(1.0))
        self.lift_weight = torch.nn.Parameter(torch.tensor(lift_weight))
        self.visitor_weight = torch.nn.Parameter(torch.tensor(visitor_weight))
        self.delta = torch.nn.Parameter(torch.zeros_like(self.z))
        self.bias = torch.nn.Parameter(torch.zeros(len(self.z)))

    def user_matrix(self) -> torch.Tensor:
        """Extended users [q | q̂ | 1], float32 [n, 2d + 1]."""
        return torch.cat([self.q, self.q_unit, self.q.new_ones(len(self.q), 1)], dim=1)

    def item_matrix(self) -> torch.Tensor:
        """Extended items [w·z + delta | g·mean q̂_v | biases], float32 [m, 2d + 1]."""
        visitors = self.visits / self.counts.clamp_min(1)[:, None]
        bias = self.alpha * self.log_counts + self.lift_weight * self.offset + self.bias
        content = self.lift_weight * self.z + self.delta
        return torch.cat([content, self.visitor_weight * visitors, bias[:, None]], dim=1)

    def leave_one_out(self, user: torch.Tensor, item: torch.Tensor) -> torch.Tensor:
        """What to add to the score of each few-shot pair so that the pair is in neither n_i nor T_i.

        Args:
            user: int64 [b], positions of users.
            item: int64 [b], positions of their few-shot items.

        Returns:
            float32 [b].
        """
        count, own = self.counts[item], self.q_unit[user]
        with_pair = (own * self.visits[item]).sum(1)
        without = (with_pair - (own * own).sum(1)) / (count - 1).clamp_min(1)
        visitors = torch.where(count > 1, without, 0.0) - with_pair / count
        counts = self.log_counts_less_one[item] - self.log_counts[item]
        return self.alpha * counts + self.visitor_weight * visitors

    def state(self) -> HeadState:
        """The learned values, detached."""
        names = ("alpha", "lift_weight", "visitor_weight")
        scalars = {name: float(getattr(self, name).detach()) for name in names}
        return HeadState(
            scalars=scalars | {"kappa": self.kappa},
            delta=self.delta.detach().numpy().copy(),
            bias=self.bias.detach().numpy().copy(),
        )


def closed_form_state(target: Target, kappa: float, lift_weight: float) -> HeadState:
    """The head's state where nothing is trained: alpha = 1, g = 0, delta = bd = 0."""
    return HeadState(
        scalars={"alpha": 1.0, "lift_weight": lift_weight, "visitor_weight": 0.0, "kappa": kappa},
        delta=np.zeros_like(target.z),
        bias=np.zeros(len(target.z), dtype=np.float32),
    )
