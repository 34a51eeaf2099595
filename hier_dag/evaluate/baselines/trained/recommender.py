"""What every trained baseline is: a model with a vector for each user and item."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from hier_dag.evaluate.baselines.trained.bipartite import Bipartite


class Recommender(nn.Module, ABC):
    """A score is the inner product of a user's and an item's vector."""

    @abstractmethod
    def embed(self, edges: Bipartite) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors over a users × items graph.

        Args:
            edges: the interactions that messages pass on.

        Returns:
            (users float32 [n_users, d], items float32 [n_items, d], extra loss of this step, a scalar).
        """
