"""The literal KG encoder: relation-aware attention or mean over neighbours."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hier_dag.model.adjacency import Adjacency
from hier_dag.model.message_passing import attend, spmm
from hier_dag.model.source_view import SourceView

Aggregation = Literal["attention", "mean"]


class RelationEncoder(nn.Module):
    """h_e^{l+1} = h_e^l + Σ_{(r,t)∈N_e} α(e,r,t)·h_t^l (hier.md, literal 1).

    α = softmax LeakyReLU(e_rᵀ·W·[h_e‖h_t]), or a weighted mean. e_rᵀW splits into a part for h_e and a part
    for h_t, so attention costs one product per node and relation and O(1) per edge, not O(d²).
    Free vectors of nodes on no source item are held at zero, as in EntityEncoder and for its reason.

    Args:
        view: the platform as pre-training sees it.
        dim: d.
        layers: number of layers.
        aggregation: `attention` or `mean`.
    """

    seen: Tensor
    kinds: Tensor

    def __init__(self, view: SourceView, dim: int, layers: int, aggregation: Aggregation) -> None:
        super().__init__()
        if aggregation not in ("attention", "mean"):
            raise ValueError(f"aggregation must be attention or mean, is {aggregation!r}")
        self.layers, self.aggregation = layers, aggregation
        self.free = nn.Parameter(torch.empty(view.n_nodes, dim))
        self.neighbours = Adjacency.means(view.neighbours)
        self.register_buffer("seen", torch.tensor(view.seen), persistent=False)
        self.register_buffer("kinds", torch.tensor(view.neighbours.kinds), persistent=False)
        if aggregation == "attention":
            self.relations = nn.Parameter(torch.empty(view.relations, dim))
            self.projection = nn.Parameter(torch.empty(dim, 2 * dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Small random vectors; attention starts close to the plain mean."""
        nn.init.normal_(self.free, std=0.1)
        if self.aggregation == "attention":
            nn.init.normal_(self.relations, std=0.1)
            nn.init.xavier_uniform_(self.projection)

    def forward(self) -> list[Tensor]:
        """h^0 … h^L of all content nodes, float32 [n_nodes, d] each."""
        h = self.free * self.seen[:, None]
        layers = [h]
        for _ in range(self.layers):
            h = h + self._messages(h)
            layers.append(h)
        return layers

    def _messages(self, h: Tensor) -> Tensor:
        if self.aggregation == "mean":
            return spmm(self.neighbours, h)
        own, other = (self.relations @ self.projection).chunk(2, dim=1)
        row, col = self.neighbours.row_of_entry(), self.neighbours.indices
        n_kinds = len(self.relations)
        left = (h @ own.T).flatten().index_select(0, row * n_kinds + self.kinds)
        right = (h @ other.T).flatten().index_select(0, col * n_kinds + self.kinds)
        return attend(self.neighbours, F.leaky_relu(left + right, 0.2), h)
