"""What a step's pairs touch of the platform: a few rows of its matrices, found without gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hier_dag.model.adjacency import Adjacency


@dataclass(frozen=True)
class Reach:
    """What b pairs, and the items they compete with, touch.

    Attributes:
        histories: distinct users × items, whole histories in source domains.
        place: int64 [b], row of each pair's user in `histories`.
        tastes: distinct users × content nodes, what `histories` are made of.
        items: int64 [w], the distinct items that are scored.
        content: w × content nodes.
        own: int64 [b], place of each pair's item in `items`.
        others: int64, places of what the pairs compete with, in the shape they came in.
    """

    histories: Adjacency
    place: Tensor
    tastes: Adjacency
    items: Tensor
    content: Adjacency
    own: Tensor
    others: Tensor


def reach(
    history: Adjacency, tastes: Adjacency, content: Adjacency, users: Tensor, items: Tensor, others: Tensor
) -> Reach:
    """Selects it; costs the entries of the users' rows and of the items' content.

    Args:
        history: users × items, unit entries.
        tastes: users × content nodes (`SourceView.tastes`).
        content: items × content nodes, a mean.
        users: int64 [b].
        items: int64 [b], an item of each user's history.
        others: int64, items that pairs compete with, in any shape.
    """
    distinct, place = torch.unique(users, return_inverse=True)
    wanted, at = torch.unique(torch.cat([items, others.flatten()]), return_inverse=True)
    return Reach(
        histories=history.select(distinct),
        place=place,
        tastes=tastes.select(distinct),
        items=wanted,
        content=content.select(wanted),
        own=at[: len(items)],
        others=at[len(items) :].view(others.shape),
    )
