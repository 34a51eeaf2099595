"""LightGCN: linear propagation of free user and item vectors on the interaction graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hier_dag.evaluate.baselines.trained.bipartite import Bipartite, light_propagation, mean_of
from hier_dag.evaluate.baselines.trained.recommender import Recommender


class LightGCN(Recommender):
    """Mean of E, ÂE, …, ÂᴸE (He et al., SIGIR 2020, arXiv 2002.02126). No layer is matrix factorisation.

    Args:
        n_users: users of the platform.
        n_items: items of the platform.
        dim: d.
        layers: L.
    """

    def __init__(self, n_users: int, n_items: int, dim: int, layers: int) -> None:
        super().__init__()
        self.n_users, self.layers = n_users, layers
        self.nodes = nn.Parameter(torch.empty(n_users + n_items, dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal start with deviation 0.1, as in the paper's code."""
        nn.init.normal_(self.nodes, std=0.1)

    def embed(self, edges: Bipartite) -> tuple[Tensor, Tensor, Tensor]:
        """(users [n_users, d], items [n_items, d], 0)."""
        out = mean_of(light_propagation(edges.nodes, self.nodes, self.layers))
        return out[: self.n_users], out[self.n_users :], out.new_zeros(())
