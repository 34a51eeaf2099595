"""The literal reconstruction of the paper: relation-aware KG layers and BPR."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hier_dag.errors import ConfigError
from hier_dag.model.adjacency import Adjacency
from hier_dag.model.draws import some_of
from hier_dag.model.exemplar_contrast import exemplar_contrast
from hier_dag.model.formulation import (
    CONTRAST_ROWS,
    WHOLE,
    Batch,
    Formulation,
    Shard,
    one_row_per_user,
    rows_at,
)
from hier_dag.model.message_passing import spmm
from hier_dag.model.rank_loss import bpr
from hier_dag.model.relation_encoder import Aggregation, RelationEncoder
from hier_dag.model.source_view import SourceView
from hier_dag.train.params import PretrainParams


class Literal(Formulation):
    """hier.md, "The literal reconstruction", 1 to 7; score (h_u + h̃_u)·h_i.

    h_u^{l+1} = mean over the user's items' entities of h_e^l; nodes and users are read out as the sum of
    their normalised layers. A user without history gets the mean over all source interactions.

    Args:
        view: the platform as pre-training sees it.
        params: sizes, layers and temperature.
    """

    popularity: Tensor

    def __init__(self, view: SourceView, params: PretrainParams) -> None:
        super().__init__(view, params)
        if params.layers < 1:
            raise ConfigError(
                "model `literal` needs at least one layer",
                column="stages.pretrain.layers",
                fix="set it to 1 or more",
            )
        self.nodes = RelationEncoder(view, params.dim, params.layers, cast(Aggregation, params.aggregation))
        self.content = Adjacency.means(view.content)
        self.content_sum = Adjacency.sums(view.content)
        self.history = Adjacency.sums(view.history)
        popularity = np.bincount(view.history.indices, minlength=view.n_items).astype(np.float32)
        self.register_buffer("popularity", torch.from_numpy(popularity), persistent=False)

    def step_bytes(self, batch: Batch) -> int:
        """About what a step holds besides parameters and dense gradients, in bytes, at the backward's start.

        Counted in vectors of d floats: a layer and its readout save three of each node, four more are at hand
        while one is worked on; an item's content is summed once a layer. Attention holds 48 bytes of
        an edge in a layer.
        """
        vector, view, layers = 4 * self.params.dim, self.view, self.params.layers
        held = ((3 * layers + 4) * view.n_nodes + (layers + 2) * view.n_items) * vector
        if self.params.aggregation == "attention":
            held += 48 * layers * view.neighbours.nnz
        return held + 30 * len(batch.users) * vector + 6 * 4 * CONTRAST_ROWS**2

    def losses(self, batch: Batch, shard: Shard = WHOLE) -> dict[str, Tensor]:
        """Unweighted terms of one step: both rank losses, both contrasts, open paths, l2.

        What is a sum over pairs is that of the shard's own; the rest is divided by the number of shards.
        Users are encoded on every shard.
        """
        layers = self.nodes()
        nodes = _readout(layers)
        items = spmm(self.content, nodes)
        distinct, place = torch.unique(batch.users, return_inverse=True)
        h_distinct = self._users(layers, distinct)
        h = F.embedding(place, h_distinct)
        enhanced_distinct = self.paths(h_distinct)
        enhanced = F.embedding(place, enhanced_distinct)
        rows = one_row_per_user(batch.users, CONTRAST_ROWS)
        touched = torch.unique(self.content.select(torch.unique(batch.items)).indices)
        some = touched[some_of(len(touched), CONTRAST_ROWS, touched.device)]
        tau = self.params.temperature
        at, world = shard.rows(len(batch.users)), shard.world
        mine = batch.part(at)
        share = shard.weight(len(batch.users))
        margin = F.embedding(mine.items, items) - F.embedding(mine.rivals, items)
        zero = margin.new_zeros(len(margin))
        return {
            "rank": share * bpr((rows_at(h + enhanced, at) * margin).sum(1), zero),
            "auxiliary": share * bpr((rows_at(enhanced, at) * margin).sum(1), zero),
            "mi": self.bottleneck(enhanced[rows], h[rows]) / world,
            "exemplar": exemplar_contrast(F.embedding(some, nodes), self.paths.exemplars, tau) / world,
            "path": self.paths.gates.open_probability().mean() / world,
            "l2": share * rows_at(h, at).square().sum(1).mean(),
        }

    def encode_nodes(self) -> Tensor:
        """h_e of content nodes, entities first, float32 [n_nodes, d]."""
        return _readout(self.nodes())

    def encode_items(self) -> tuple[Tensor, Tensor]:
        """h_i, float32 [n_items, d]; the literal score has no bias, so zeros, float32 [n_items]."""
        items = spmm(self.content, self.encode_nodes())
        return items, items.new_zeros(len(items))

    def user_encoder(self) -> Callable[[Tensor], Tensor]:
        """Encodes users as the sum of their normalised layers, float32 [n, d]."""
        layers = self.nodes()
        return lambda users: self._users(layers, users)

    def _users(self, layers: list[Tensor], users: Tensor) -> Tensor:
        rows = self.history.select(users)
        sizes = self.content_sum.degrees().to(layers[0].dtype)[:, None]
        count = spmm(rows, sizes)
        total = layers[0].new_zeros(len(users), layers[0].shape[1])
        for layer in layers[:-1]:
            per_item = spmm(self.content_sum, layer)
            mean = spmm(rows, per_item) / count.clamp(min=1)
            # Every source interaction counts once: what the whole platform took, as one vector.
            everyone = self.popularity @ per_item / (self.popularity @ sizes).clamp(min=1)
            total = total + F.normalize(torch.where(count > 0, mean, everyone), dim=1)
        return total


def _readout(layers: list[Tensor]) -> Tensor:
    return torch.stack([F.normalize(layer, dim=1) for layer in layers]).sum(0)
