"""The recommended entity encoder: residual layers over co-occurrence."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hier_dag.model.adjacency import Adjacency
from hier_dag.model.message_passing import spmm
from hier_dag.model.neighbourhood import Neighbourhood
from hier_dag.model.source_view import SourceView
from hier_dag.model.table_rows import Rows, own_rows

_DECAY = 0.8


class EntityEncoder(nn.Module):
    """h^0 = x; h^{l+1} = 0.8·normalize(h^l + mean over neighbours of h^l); h = Σ_l h^l (hier.md, eq. a).

    Neighbours are co-occurring entities, weighted by shared items, and the entities' triples. Cost of a
    layer: O(neighbour pairs · d).

    The free vector of a node that sits on no source item is held at zero: no positive ever trains it, so
    its random start would reach items as noise. Such a node is what its neighbours give it.
    NDCG@10 among held-out source items, free against held at zero, two seeds: .076 → .081 and .061 → .065 on
    eight cities, .0290 → .0296 and .0299 → .0315 on twelve categories.

    Args:
        view: the platform as pre-training sees it.
        dim: d.
        layers: number of layers.
    """

    seen: Tensor

    def __init__(self, view: SourceView, dim: int, layers: int) -> None:
        super().__init__()
        self.layers = layers
        self.free = nn.Parameter(torch.empty(view.n_nodes, dim))
        self.neighbours = Adjacency.means(view.neighbours)
        self.register_buffer("seen", torch.tensor(view.seen), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Free vectors of norm about 0.8 at d = 64, comparable with one layer's output."""
        nn.init.normal_(self.free, std=0.1)

    def forward(self, around: Neighbourhood | None = None, rows: Rows = own_rows) -> Tensor:
        """Vectors of all content nodes, float32 [n_nodes, d], or of a neighbourhood's outputs [m, d].

        Args:
            around: its nodes alone are encoded, from the neighbours drawn in it; gradients of free vectors
                are then sparse.
            rows: gives rows of the free vectors.
        """
        if around is not None:
            return self._around(around, rows)
        h = self.free * self.seen[:, None]
        total = h
        for _ in range(self.layers):
            h = _DECAY * F.normalize(h + spmm(self.neighbours, h), dim=1)
            total = total + h
        return total

    def _around(self, around: Neighbourhood, rows: Rows) -> Tensor:
        h = rows(self.free, around.inputs) * self.seen[around.inputs, None]
        total = h
        for layer in around.layers:
            h = _DECAY * F.normalize(F.embedding(layer.own, h) + spmm(layer.messages, h), dim=1)
            total = F.embedding(layer.own, total) + h
        return total
