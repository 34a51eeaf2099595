"""What a step's pairs reach of the platform, and the vectors that they meet there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hier_dag.model.adjacency import Adjacency
from hier_dag.model.entity_encoder import EntityEncoder
from hier_dag.model.message_passing import spmm
from hier_dag.model.neighbourhood import Neighbourhood, draw, neighbourhood, places, union
from hier_dag.model.table_rows import Rows, own_rows
from hier_dag.model.user_encoder import UserEncoder, without_own


@dataclass(frozen=True)
class Platform:
    """The matrices of a platform that a step selects from.

    Attributes:
        history: users × items, unit entries.
        tastes: users × content nodes, what histories are made of (`SourceView.tastes`).
        content: items × content nodes, a mean.
    """

    history: Adjacency
    tastes: Adjacency
    content: Adjacency


@dataclass(frozen=True)
class Wanted:
    """What a step asks vectors of.

    Attributes:
        users: int64 [b].
        items: int64 [b], an item of each user's history.
        others: int64, items that the pairs compete with, in any shape.
        nodes: int64, content nodes of the exemplar contrast.
    """

    users: Tensor
    items: Tensor
    others: Tensor
    nodes: Tensor


@dataclass(frozen=True)
class Vectors:
    """What comes of it, with gradients.

    Attributes:
        nodes: h_c of the nodes asked for, float32 [n, d].
        content: h_i of the distinct items, float32 [w, d].
        users: p_u of each pair, without its own item, float32 [b, d].
    """

    nodes: Tensor
    content: Tensor
    users: Tensor


@dataclass(frozen=True)
class Reach(ABC):
    """Rows of a platform's matrices that a step's pairs reach; nothing in it has a gradient.

    Attributes:
        wanted: what was asked for.
        histories: distinct users × items.
        place: int64 [b], row of each pair's user in `histories`.
        items: int64 [w], the distinct items that are scored, ascending.
        content: w × content nodes.
        own: int64 [b], place of each pair's item in `items`.
        others: int64, places of the items that the pairs compete with, in the shape they came in.
    """

    wanted: Wanted
    histories: Adjacency
    place: Tensor
    items: Tensor
    content: Adjacency
    own: Tensor
    others: Tensor

    @abstractmethod
    def vectors(self, nodes: EntityEncoder, users: UserEncoder, rows: Rows = own_rows) -> Vectors:
        """Encodes what was asked for.

        Args:
            nodes: encodes content nodes.
            users: holds the items' identities.
            rows: gives rows of their tables, in sampled training.
        """


@dataclass(frozen=True)
class WholeReach(Reach):
    """Of full-graph training: all content nodes are encoded, histories are whole.

    Attributes:
        tastes: distinct users × content nodes.
    """

    tastes: Adjacency

    def vectors(self, nodes: EntityEncoder, users: UserEncoder, rows: Rows = own_rows) -> Vectors:
        """Costs the layers over all content nodes, and the entries of the users' rows."""
        encoded = nodes()
        content = spmm(self.content, encoded)
        total = spmm(self.tastes, encoded) + spmm(self.histories, users.ids)
        own = F.embedding(self.own, content) + F.embedding(self.wanted.items, users.ids)
        rest = (self.histories.degrees() - 1)[self.place]
        p = without_own(F.embedding(self.place, total), own, rest)
        return Vectors(F.embedding(self.wanted.nodes, encoded), content, p)


@dataclass(frozen=True)
class SampledReach(Reach):
    """Of sampled training: neighbours and histories are drawn, and nothing else is encoded.

    Columns of `histories` are places among `known`; those of `content` and `known_content` are places among
    the neighbourhood's outputs.

    Attributes:
        around: the content nodes that are encoded.
        known: int64 [t], items of the drawn histories and the pairs' own, ascending.
        known_content: t × content nodes.
        known_own: int64 [b], place of each pair's item in `known`.
        times: int64 [b], how often it was drawn in its user's history: once or not.
        nodes: int64 [n], places of the nodes asked for.
    """

    around: Neighbourhood
    known: Tensor
    known_content: Adjacency
    known_own: Tensor
    times: Tensor
    nodes: Tensor

    def vectors(self, nodes: EntityEncoder, users: UserEncoder, rows: Rows = own_rows) -> Vectors:
        """Costs what was drawn, whatever the platform's size."""
        encoded = nodes(self.around, rows)
        known = spmm(self.known_content, encoded) + rows(users.ids, self.known)
        total = F.embedding(self.place, spmm(self.histories, known))
        own = F.embedding(self.known_own, known) * self.times[:, None]
        p = without_own(total, own, self.histories.degrees()[self.place] - self.times)
        return Vectors(F.embedding(self.nodes, encoded), spmm(self.content, encoded), p)


def whole_reach(platform: Platform, wanted: Wanted) -> WholeReach:
    """Selects the rows; costs their entries, never the catalogue."""
    distinct, place = torch.unique(wanted.users, return_inverse=True)
    scored, at = torch.unique(torch.cat([wanted.items, wanted.others.flatten()]), return_inverse=True)
    return WholeReach(
        wanted=wanted,
        histories=platform.history.select(distinct),
        place=place,
        items=scored,
        content=platform.content.select(scored),
        own=at[: len(wanted.items)],
        others=at[len(wanted.items) :].view(wanted.others.shape),
        tastes=platform.tastes.select(distinct),
    )


@dataclass(frozen=True)
class Fanout:
    """How much is drawn in sampled training.

    Attributes:
        neighbours: of each content node in each layer, at most.
        history: items of each user, at most.
    """

    neighbours: int
    history: int


def sampled_reach(
    platform: Platform, neighbours: Adjacency, layers: int, fanout: Fanout, wanted: Wanted, seed: int
) -> SampledReach:
    """Draws histories, then neighbours around everything that these and the scored items are made of.

    Args:
        platform: what is selected from; `tastes` plays no part.
        neighbours: content nodes × content nodes, a mean.
        layers: of the encoder.
        fanout: how much is drawn.
        wanted: what is asked for.
        seed: of this step.
    """
    n_items, n_nodes = platform.content.rows, platform.content.cols
    distinct, place = torch.unique(wanted.users, return_inverse=True)
    # Layers take the seeds that follow.
    drawn = draw(platform.history, distinct, fanout.history, seed - 1)
    known = union(n_items, drawn.indices, wanted.items)
    known_at = places(n_items, known)
    scored = union(n_items, wanted.items, wanted.others.flatten())
    scored_at = places(n_items, scored)
    of_known, of_scored = platform.content.select(known), platform.content.select(scored)
    outputs = union(n_nodes, of_known.indices, of_scored.indices, wanted.nodes)
    node_at = places(n_nodes, outputs)
    known_own = known_at[wanted.items]
    histories = drawn.relabelled(known_at, len(known))
    return SampledReach(
        wanted=wanted,
        histories=histories,
        place=place,
        items=scored,
        content=of_scored.relabelled(node_at, len(outputs)),
        own=scored_at[wanted.items],
        others=scored_at[wanted.others],
        around=neighbourhood(neighbours, outputs, layers, fanout.neighbours, seed),
        known=known,
        known_content=of_known.relabelled(node_at, len(outputs)),
        known_own=known_own,
        times=_times(histories, place, known_own),
        nodes=node_at[wanted.nodes],
    )


def _times(histories: Adjacency, place: Tensor, own: Tensor) -> Tensor:
    """Whether each pair's item is among those drawn for its user: 1 or 0, int64 [b]."""
    key = histories.row_of_entry() * histories.cols + histories.indices  # ascending, each once
    asked = place * histories.cols + own
    at = torch.searchsorted(key, asked).clamp(max=len(key) - 1)
    return (key[at] == asked).long()
