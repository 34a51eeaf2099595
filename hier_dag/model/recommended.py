"""The recommended formulation: co-occurrence layers, leave-one-out users, sampled softmax."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hier_dag.model.adjacency import Adjacency
from hier_dag.model.draws import some_of
from hier_dag.model.entity_encoder import EntityEncoder
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
from hier_dag.model.rank_loss import bpr, sampled_softmax
from hier_dag.model.reach import (
    Fanout,
    Platform,
    Reach,
    SampledReach,
    Wanted,
    sampled_reach,
    whole_reach,
)
from hier_dag.model.source_view import SourceView
from hier_dag.model.user_encoder import UserEncoder
from hier_dag.train.params import PretrainParams

_ITEM_BLOCK = 1 << 15  # items whose hidden layers are held at once


class Recommended(Formulation):
    """z_i = h_i + MLP(h_i), b_i = MLP(h_i), h_u = p_u + MLP(p_u), s0 = (h_u + h̃_u)·z_i + b_i.

    hier.md, "The recommended formulation", equations (a) to (e).

    Args:
        view: the platform as pre-training sees it.
        params: sizes, layers and temperature.
    """

    def __init__(self, view: SourceView, params: PretrainParams) -> None:
        super().__init__(view, params)
        dim = params.dim
        self.nodes = EntityEncoder(view, dim, params.layers)
        self.content = Adjacency.means(view.content)
        self.history = UserEncoder(view, dim)
        self.tastes = Adjacency.sums(view.tastes())
        self.item_head = residual_mlp(dim, dim, constant=False)
        self.bias_head = residual_mlp(dim, 1, constant=False)
        self.user_head = residual_mlp(dim, dim)

    @property
    def tables(self) -> list[nn.Parameter]:
        """Free vectors of content nodes and identities of items."""
        return [self.nodes.free, self.history.ids]

    def sample(self, fanout: Fanout) -> None:
        """Steps draw neighbours and histories from here on; evaluation goes on seeing all of them."""
        self.fanout = fanout

    def step_bytes(self, batch: Batch) -> int:
        """About what a step holds besides parameters and dense gradients, in bytes, at the backward's start.

        Counted in vectors of d floats. Full graph: a layer saves one of each node, five more are at hand
        while one is worked on; two of each item are gradients on their way. Sampled: four of each node of
        each layer, three of each item in a history; and 40 bytes of an edge that was drawn. Both: what the
        heads and both views of a pair hold, and the probabilities of its negatives with their gradients.
        """
        others = batch.rivals if self.params.rank_loss == "bpr" else batch.negatives
        touched = self._reach(Wanted(batch.users, batch.items, others, self._some_nodes()))
        vector, edge = 4 * self.params.dim, 40
        if isinstance(touched, SampledReach):
            layers = touched.around.layers
            nodes = len(touched.around.inputs) + sum(layer.messages.rows for layer in layers)
            held = (4 * nodes + 3 * len(touched.known)) * vector
            held += edge * sum(layer.messages.nnz for layer in layers)
        else:
            view = self.view
            held = ((self.nodes.layers + 5) * view.n_nodes + 2 * view.n_items) * vector
        pairs, scored = len(batch.users), len(touched.items)
        held += (24 * pairs + 18 * scored) * vector + edge * touched.histories.nnz
        if self.params.rank_loss == "softmax":
            held += 4 * 4 * pairs * batch.negatives.shape[1]
        return held + 6 * 4 * CONTRAST_ROWS**2

    def losses(self, batch: Batch, shard: Shard = WHOLE) -> dict[str, Tensor]:
        """Unweighted terms of one step: both rank losses, both contrasts, open paths, l2.

        What is a sum over pairs is that of the shard's own; the rest is divided by the number of shards.
        """
        # Every shard draws for the whole batch, so that all draw the same numbers.
        gates = self.paths.draw()
        rows = one_row_per_user(batch.users, CONTRAST_ROWS)
        some = self._some_nodes()
        mine = batch.part(shard.rows(len(batch.users)))
        n, share = len(mine.users), shard.weight(len(batch.users))
        users, items, first = mine.users, mine.items, slice(0, n)
        if shard.world > 1:
            users, items = torch.cat([users, batch.users[rows]]), torch.cat([items, batch.items[rows]])
            rows = torch.arange(n, len(users), device=users.device)
        others = mine.rivals if self.params.rank_loss == "bpr" else mine.negatives
        touched = self._reach(Wanted(users, items, others, some))
        vectors = touched.vectors(self.nodes, self.history, self.rows)
        mixed = self.params.precision == "bfloat16"
        with torch.autocast(vectors.users.device.type, torch.bfloat16, enabled=mixed):
            h = vectors.users + self.user_head(vectors.users)
            enhanced = self.paths(h, gates)
            z, bias = self._items(vectors.content)
        bias = bias.to(z.dtype)  # a product alone; all else is added to float32
        queries = [rows_at(h + enhanced, first), rows_at(enhanced, first)]
        rank, auxiliary = self._rank(mine, queries, z, bias, rows_at(touched.own, first), touched.others)
        tau, world = self.params.temperature, shard.world
        return {
            "rank": share * rank,
            "auxiliary": share * auxiliary,
            "mi": self.bottleneck(enhanced[rows], h[rows]) / world,
            "exemplar": exemplar_contrast(vectors.nodes, self.paths.exemplars, tau) / world,
            "path": self.paths.gates.open_probability().mean() / world,
            "l2": share * rows_at(h, first).square().sum(1).mean(),
        }

    def _reach(self, wanted: Wanted) -> Reach:
        platform = Platform(self.history.history, self.tastes, self.content)
        if self.fanout is None:
            return whole_reach(platform, wanted)
        seed = int(torch.randint(1 << 40, ()))
        return sampled_reach(platform, self.nodes.neighbours, self.nodes.layers, self.fanout, wanted, seed)

    def _some_nodes(self) -> Tensor:
        """Content nodes that enter the exemplar contrast, int64 [at most CONTRAST_ROWS]."""
        seen = self.nodes.seen.nonzero().flatten()
        return seen[some_of(len(seen), CONTRAST_ROWS, seen.device)]

    def _rank(
        self, batch: Batch, queries: list[Tensor], z: Tensor, bias: Tensor, own: Tensor, others: Tensor
    ) -> list[Tensor]:
        """The declared rank loss of each query view, mean over the batch.

        Args:
            batch: its items and negatives tell where these are one.
            queries: views of its users, float32 [b, d] each.
            z: float32 [w, d], vectors of the items that are scored.
            bias: float32 [w].
            own: int64 [b], place of each pair's item in `z`.
            others: int64 [b] or [domains, m], places of what they compete with.
        """
        z_own, b_own = F.embedding(own, z), bias.index_select(0, own)
        if self.params.rank_loss == "bpr":
            margin, offset = z_own - F.embedding(others, z), b_own - bias.index_select(0, others)
            return [bpr((query * margin).sum(1) + offset, offset.new_zeros(len(offset))) for query in queries]
        z_others, b_others = F.embedding(others, z), bias[others]
        query, total, start = torch.stack(queries), z.new_zeros(len(queries)), 0
        for domain, count in enumerate(batch.counts):
            at = slice(start, start + count)
            collides = (batch.items[at, None] == batch.negatives[domain]).nonzero()
            sampled = z_others[domain], b_others[domain]
            total = total + sampled_softmax(query[:, at], z_own[at], b_own[at], *sampled, collides).sum(1)
            start += count
        return list(total / len(own))

    def _items(self, content: Tensor) -> tuple[Tensor, Tensor]:
        return content + self.item_head(content), self.bias_head(content).flatten()

    def encode_nodes(self) -> Tensor:
        """h_c of content nodes, entities first, float32 [n_nodes, d] (eq. a)."""
        return self.nodes()

    def encode_items(self) -> tuple[Tensor, Tensor]:
        """z_i, float32 [n_items, d], and b_i, float32 [n_items] (eq. b)."""
        blocks = spmm(self.content, self.nodes()).split(_ITEM_BLOCK)
        vectors, biases = zip(*(self._items(block) for block in blocks), strict=True)
        return torch.cat(vectors), torch.cat(biases)

    def user_encoder(self) -> Callable[[Tensor], Tensor]:
        """Encodes users as h_u = p_u + MLP(p_u), float32 [n, d] (eq. c); the global mean without history."""
        known = self.history.known(spmm(self.content, self.nodes()))
        mean = self.history.mean(known)

        def encode(users: Tensor) -> Tensor:
            p = self.history(known, users, mean)
            return p + self.user_head(p)

        return encode


def residual_mlp(dim: int, out: int, *, constant: bool = True) -> nn.Sequential:
    """Width d → 2d → out with GELU; the last layer starts at zero, so a residual starts as the identity.

    Args:
        dim: width of the input.
        out: width of the output.
        constant: whether the last layer adds one. The same constant on every item changes no ranking, so its
            gradient is zero but for rounding, which Adam would follow all the same.
    """
    last = nn.Linear(2 * dim, out)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    if not constant:
        last.register_parameter("bias", None)
    return nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), last)
