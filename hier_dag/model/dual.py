"""The default formulation: encoders over both graphs, entities and users × items."""

from __future__ import annotations

import dataclasses

import torch

from hier_dag.model.encoding import Encoding
from hier_dag.model.entity_profiles import entity_profiles
from hier_dag.model.interactions import encode_interactions
from hier_dag.model.recommended import Recommended


class Dual(Recommended):
    """`recommended` over the entity graph, and beside it the users × items graph of the sources.

    Where domains share what their items are made of, content carries a user's taste over; where they share
    only their users, who went where with whom does. The second encoder has its own decision paths: exemplars
    are clusters of source items, intents are topics over the exemplars of a user's history
    (`interactions.py`). Transfer weighs both by leave-one-out in each target.

    Args:
        view: the platform as pre-training sees it.
        params: sizes, layers and temperature.
    """

    @torch.no_grad()
    def encode(self) -> Encoding:
        """Zero-shot vectors with test gates, the interaction encoding and the entity profiles."""
        view, p = self.view, self.params
        interactions = encode_interactions(
            view.history, p.interaction_dim, p.intents, p.exemplars, p.seed, p.interaction_paths
        )
        profiles = entity_profiles(view.entity_links(), view.history, p.profile_dim, p.seed)
        return dataclasses.replace(super().encode(), interactions=interactions, profiles=profiles)
