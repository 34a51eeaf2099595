"""XSimGCL: LightGCN with noise in every layer and a contrast between two of its layers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hier_dag.evaluate.baselines.trained.bipartite import Bipartite, mean_of
from hier_dag.evaluate.baselines.trained.recommender import Recommender
from hier_dag.model.message_passing import spmm


class XSimGCL(Recommender):
    """e^l = Âe^(l-1) + ε·sign·noise of unit length, read out as the mean of l = 1..L; the input is not.

    Yu et al., TKDE 2023 (arXiv 2209.02544). The extra loss is λ·InfoNCE between the read-out and layer
    l*, of a sample of the users and of a sample of the items that have edges.

    Args:
        n_users: users of the platform.
        n_items: items of the platform.
        dim: d.
        layers: L >= 1.
        noise: ε; no noise outside training.
        weight: λ.
        temperature: τ of the contrast.
        contrasted: l* in 1..L.
        sample: most users, and most items, contrasted in a step.
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        dim: int,
        layers: int,
        noise: float = 0.1,
        weight: float = 0.2,
        temperature: float = 0.2,
        contrasted: int = 1,
        sample: int = 1024,
    ) -> None:
        super().__init__()
        if not 1 <= contrasted <= layers:
            raise ValueError(f"contrasted must be a layer in 1..{layers}, not {contrasted}")
        self.n_users, self.layers, self.contrasted = n_users, layers, contrasted
        self.noise, self.weight, self.temperature, self.sample = noise, weight, temperature, sample
        self.nodes = nn.Parameter(torch.empty(n_users + n_items, dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal start with deviation 0.1, as `LightGCN`'s."""
        nn.init.normal_(self.nodes, std=0.1)

    def embed(self, edges: Bipartite) -> tuple[Tensor, Tensor, Tensor]:
        """(users [n_users, d], items [n_items, d], λ·contrast while training, else 0)."""
        layer, every = self.nodes, []
        for _ in range(self.layers):
            layer = spmm(edges.nodes, layer, backend="torch")
            if self.training:
                layer = layer + self._noise_like(layer)
            every.append(layer)
        out = mean_of(every)
        extra = out.new_zeros(())
        if self.training and self.weight > 0:
            linked, view = edges.linked.nonzero().squeeze(1), every[self.contrasted - 1]
            of_users = linked < self.n_users
            extra = self._contrast(out, view, linked[of_users]) + self._contrast(out, view, linked[~of_users])
        return out[: self.n_users], out[self.n_users :], self.weight * extra

    def _noise_like(self, layer: Tensor) -> Tensor:
        return self.noise * layer.detach().sign() * F.normalize(torch.rand_like(layer), dim=1)

    def _contrast(self, one: Tensor, other: Tensor, among: Tensor) -> Tensor:
        """InfoNCE of a sample of nodes against one another, mean."""
        drawn = among[torch.randperm(len(among))[: self.sample]]
        a, b = F.normalize(one[drawn], dim=1), F.normalize(other[drawn], dim=1)
        return F.cross_entropy(a @ b.T / self.temperature, torch.arange(len(drawn)))
