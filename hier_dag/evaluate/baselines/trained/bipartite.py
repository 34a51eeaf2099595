"""The users × items graph that trained baselines pass messages on, and LightGCN's propagation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]
from torch import Tensor

from hier_dag.graph.csr import from_coo
from hier_dag.model.adjacency import Adjacency
from hier_dag.model.message_passing import spmm


@dataclass(frozen=True)
class Bipartite:
    """Observed interactions in the two normalisations that models use.

    Attributes:
        nodes: Â = D^-½ A D^-½, nodes × nodes, users first (LightGCN, eq. 8).
        history: users × items, each row a mean.
    """

    nodes: Adjacency
    history: Adjacency

    @property
    def linked(self) -> Tensor:
        """Whether each node has an edge, bool [nodes]."""
        return self.nodes.degrees() > 0


def bipartite(observed: sp.csr_array) -> Bipartite:
    """Makes it from users × items of zeros and ones; a node without edges has empty rows."""
    n_users, n_items = observed.shape
    user, item = (each.astype(np.int64) for each in observed.tocoo().coords)
    row, col = np.concatenate([user, n_users + item]), np.concatenate([n_users + item, user])
    n = n_users + n_items
    degree = np.bincount(row, minlength=n).astype(np.float32)
    weight = 1.0 / np.sqrt(degree[row] * degree[col])
    return Bipartite(
        nodes=Adjacency.sums(from_coo(row, col, n, n, values=weight)),
        history=Adjacency.means(from_coo(user, item, n_users, n_items)),
    )


def light_propagation(adjacency: Adjacency, start: Tensor, layers: int) -> list[Tensor]:
    """[E, ÂE, Â²E, …]: `layers` + 1 tensors, float32 [nodes, d] each; LightGCN reads out their mean.

    Args:
        adjacency: Â.
        start: float32 [nodes, d], E.
        layers: L >= 0.
    """
    out = [start]
    for _ in range(layers):
        out.append(spmm(adjacency, out[-1], backend="torch"))
    return out


def mean_of(layers: list[Tensor]) -> Tensor:
    """Mean of equally shaped tensors."""
    total = layers[0]
    for layer in layers[1:]:
        total = total + layer
    return total / len(layers)
