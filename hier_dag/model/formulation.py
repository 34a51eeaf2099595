"""What every registered formulation of HIER offers training, transfer and the report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hier_dag.errors import ConfigError
from hier_dag.model.bottleneck_contrast import bottleneck_contrast
from hier_dag.model.decision_path import DecisionPaths
from hier_dag.model.draws import some_of
from hier_dag.model.encoding import FALLBACK, KG_INFERRED, TRAINED, Encoding
from hier_dag.model.hsic_bottleneck import hsic_bottleneck
from hier_dag.model.reach import Fanout
from hier_dag.model.source_view import SourceView
from hier_dag.model.table_rows import Rows, own_rows
from hier_dag.train.params import PretrainParams

_USER_BLOCK = 1 << 15

_FLOAT, _INDEX = 4, 8  # bytes
_ENCODING = 6  # vectors of a node at once while a layer is made
_SCORING = 100 << 20  # three matrices of 2^23 scores or less (`train/validation.py`)

# Rows of a batch that enter a contrastive term, whose cost is quadratic in them.
CONTRAST_ROWS = 512


@dataclass(frozen=True)
class Shard:
    """Which of several processes that share a batch this is.

    Attributes:
        rank: from 0.
        world: how many there are.
    """

    rank: int = 0
    world: int = 1

    def rows(self, n: int) -> slice:
        """Its rows of n, contiguous and as many as the others' but for one; all where there are too few."""
        if n < self.world:
            return slice(0, n)
        return slice(n * self.rank // self.world, n * (self.rank + 1) // self.world)

    def weight(self, n: int) -> float:
        """What a mean over its rows counts for in the mean over all n; those of all shards add up to 1."""
        if n < self.world:
            return 1 / self.world
        at = self.rows(n)
        return (at.stop - at.start) / n


WHOLE = Shard()


def rows_at(x: Tensor, at: slice) -> Tensor:
    """Some rows; all of them are the tensor itself, which costs its gradient no copy and no rounding."""
    return x if (at.start, at.stop) == (0, len(x)) else x[at]


@dataclass(frozen=True)
class Batch:
    """Training pairs of a step, sorted by domain.

    Attributes:
        users: int64 [b].
        items: int64 [b].
        counts: pairs of each domain, in order; sums to b.
        negatives: int64 [domains, m], items drawn uniformly from each domain's catalogue.
        rivals: int64 [b], one item drawn uniformly from each pair's own catalogue.
    """

    users: Tensor
    items: Tensor
    counts: list[int]
    negatives: Tensor
    rivals: Tensor

    def part(self, at: slice) -> Batch:
        """Some of its pairs, in the same order, against all of its negatives."""
        counts, start = [], 0
        for count in self.counts:
            counts.append(max(0, min(at.stop, start + count) - max(at.start, start)))
            start += count
        return Batch(self.users[at], self.items[at], counts, self.negatives, self.rivals[at])


class Formulation(nn.Module, ABC):
    """A HIER model bound to one platform.

    Args:
        view: the platform as pre-training sees it.
        params: sizes and temperature.
    """

    paths: DecisionPaths
    fanout: Fanout | None = None
    """How much a step draws in sampled training; None trains on the full graph."""

    def __init__(self, view: SourceView, params: PretrainParams) -> None:
        super().__init__()
        self.view, self.params = view, params
        self.rows: Rows = own_rows
        self.paths = DecisionPaths(
            params.intents, params.exemplars, params.dim, params.temperature, params.content_paths
        )

    def bottleneck(self, enhanced: Tensor, original: Tensor) -> Tensor:
        """The information-bottleneck term by the declared estimator, a scalar.

        Args:
            enhanced: h̃, float32 [n, d], one row a distinct user.
            original: h, float32 [n, d].
        """
        if self.params.bottleneck == "hsic":
            return hsic_bottleneck(enhanced, original)
        return bottleneck_contrast(enhanced, original, self.params.temperature)

    @property
    def tables(self) -> list[nn.Parameter]:
        """Parameters with one row a node or an item, of which a sampled step meets a few."""
        return []

    def sample(self, fanout: Fanout) -> None:
        """Trains on samples from here on.

        Raises:
            ConfigError: the formulation knows the full graph alone.
        """
        raise ConfigError(
            f"model `{self.params.model}` trains on the full graph alone",
            column="stages.pretrain.graph",
            fix="set it to full, or use the model dual or recommended",
        )

    @abstractmethod
    def step_bytes(self, batch: Batch) -> int:
        """About what a step holds at its peak besides parameters and their dense gradients, in bytes.

        Args:
            batch: one of the size that will be trained; drawn around where training is sampled.
        """

    def matrix_bytes(self, *, sampled: bool) -> int:
        """Bytes of the platform's matrices, with what aggregation keeps beside them.

        Args:
            sampled: whether training is: it needs no transposes, but summed weights.
        """
        buffers = sum(b.numel() * b.element_size() for b in self.buffers())
        edges, nodes = self.view.neighbours.nnz, self.view.n_nodes
        kept = _INDEX * edges if sampled else (3 * _INDEX + _FLOAT) * edges + _INDEX * nodes
        # Scoring asks for the row of every entry of the histories and of the content.
        return buffers + kept + _INDEX * (self.view.history.nnz + self.view.content.nnz)

    def scoring_bytes(self) -> int:
        """About what scoring all items holds at its peak, in bytes: every node's layers, every item twice."""
        vector = _FLOAT * self.params.dim
        nodes, items = self.view.n_nodes * vector, self.view.n_items * vector
        return max(items + _ENCODING * nodes, 4 * items + nodes) + _SCORING

    @abstractmethod
    def losses(self, batch: Batch, shard: Shard = WHOLE) -> dict[str, Tensor]:
        """Unweighted scalar terms: rank, auxiliary, mi, exemplar, path, l2.

        Args:
            batch: the step's pairs, the same on every rank.
            shard: which share of each term is wanted; the shares of all ranks add up to the term.
        """

    @abstractmethod
    def encode_nodes(self) -> Tensor:
        """Vectors of content nodes, entities first, float32 [n_nodes, d]."""

    @abstractmethod
    def encode_items(self) -> tuple[Tensor, Tensor]:
        """(vectors to score with, float32 [n_items, d]; biases, float32 [n_items])."""

    @abstractmethod
    def user_encoder(self) -> Callable[[Tensor], Tensor]:
        """Runs the graph layers once; the function returned encodes any users, int64 [n] → h_u [n, d]."""

    def query(self, encoded: Tensor) -> Tensor:
        """q_u = h_u + h̃_u, what meets an item's vector (hier.md, eq. d).

        Args:
            encoded: h_u, float32 [n, d].
        """
        return encoded + self.paths(encoded)

    @torch.no_grad()
    def encode(self) -> Encoding:
        """Zero-shot vectors of the whole platform, with test gates."""
        was_training = self.training
        self.eval()
        items, bias = self.encode_items()
        device = items.device
        blocks = torch.arange(self.view.n_users, device=device).split(_USER_BLOCK)
        encode = self.user_encoder()
        users = [self.query(encode(block)).cpu() for block in blocks]
        self.train(was_training)
        trained = self.view.trained_items()
        has_entity = self.view.content.indices[self.view.content.indptr[:-1]] < self.view.n_entities
        item_origin = np.where(trained, TRAINED, np.where(has_entity, KG_INFERRED, FALLBACK))
        user_origin = np.where(self.view.users_with_history(), TRAINED, FALLBACK)
        return Encoding(
            users=torch.cat(users).numpy() if users else np.zeros((0, self.params.dim), np.float32),
            items=items.cpu().numpy(),
            item_bias=bias.cpu().numpy(),
            user_origin=user_origin.astype(np.int8),
            item_origin=item_origin.astype(np.int8),
        )


def one_row_per_user(users: Tensor, limit: int) -> Tensor:
    """Rows of a batch with distinct users, at most `limit`, int64: contrast needs each user once.

    Args:
        users: int64 [b].
        limit: most rows to return.
    """
    distinct, place = torch.unique(users, return_inverse=True)
    rows = torch.arange(len(users), device=users.device)
    first = rows.new_full((len(distinct),), len(users)).scatter_reduce(0, place, rows, "amin")
    # Users come out in ascending order of number; a random choice keeps every user equally likely.
    return first[some_of(len(first), limit, users.device)]
