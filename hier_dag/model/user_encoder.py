"""Users as the mean of their source history, the item to be predicted left out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hier_dag.model.adjacency import Adjacency
from hier_dag.model.message_passing import spmm
from hier_dag.model.source_view import SourceView


class UserEncoder(nn.Module):
    """p_u = mean over source items of (h_j + id_j) (hier.md, eq. c).

    id_j starts at zero, so that an item begins as its content. In training the positive never sits in its
    own history; a user left without history gets the mean of all users.

    Args:
        view: the platform as pre-training sees it.
        dim: d.
    """

    def __init__(self, view: SourceView, dim: int) -> None:
        super().__init__()
        self.history = Adjacency.sums(view.history)
        self.ids = nn.Parameter(torch.empty(view.n_items, dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Items without an identity of their own."""
        nn.init.zeros_(self.ids)

    def known(self, content: Tensor) -> Tensor:
        """h_j + id_j of all items, float32 [n_items, d], of which histories are means.

        Args:
            content: h, float32 [n_items, d].
        """
        return content + self.ids

    def forward(self, known: Tensor, users: Tensor, fallback: Tensor) -> Tensor:
        """p_u over the whole history, for scoring.

        Args:
            known: of `known`, float32 [n_items, d].
            users: int64 [n].
            fallback: float32 [d], for users without history.

        Returns:
            float32 [n, d].
        """
        rows = self.history.select(users)
        count = rows.degrees()[:, None]
        return torch.where(count > 0, spmm(rows, known) / count.clamp(min=1), fallback)

    def mean(self, known: Tensor) -> Tensor:
        """Mean p_u of all users with source history, float32 [d]; zero where there is none.

        Args:
            known: of `known`, float32 [n_items, d].
        """
        count = self.history.degrees()
        per_item = _weights_of_mean(self.history, count)
        return per_item @ known / (count > 0).sum().clamp(min=1)


def without_own(total: Tensor, own: Tensor, rest: Tensor) -> Tensor:
    """p_u of each training pair, without the pair's own item; the mean of the others where nothing is left.

    Args:
        total: sum over a user's history, float32 [b, d].
        own: what the pair's own item is in it, float32 [b, d].
        rest: int64 [b], items that are left.

    Returns:
        float32 [b, d].
    """
    left = rest[:, None]
    mean = (total - own) / left.clamp(min=1)
    return torch.where(left > 0, mean, mean.sum(0) / (left > 0).sum().clamp(min=1))


def _weights_of_mean(history: Adjacency, count: Tensor) -> Tensor:
    """Σ_u 1/n_u over the users of each item, float32 [n_items]: the mean needs no user's vector."""
    share = (1.0 / count.clamp(min=1))[history.row_of_entry()]
    return share.new_zeros(history.cols).index_add(0, history.indices, share)
