"""The knowledge graph in memory: what training, transfer and publication read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import CSR, IntArray

TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True)
class Interactions:
    """The distinct (user, item) pairs of one domain, each in exactly one split.

    Attributes:
        user: int64 [n] dense user number.
        item: int64 [n] dense item number.
        split: int8 [n], TRAIN, VALIDATION or TEST.
        shot_rank: int32 [n], 1-based order of the pair among its user's training pairs (by time
            or position, else by seeded hash); 0 outside training. `k` shots are shot_rank <= k.
        share_rank: float64 [n] in [0, 1), seeded hash; a share of the domain is the training pairs of
            lowest share_rank, as many as that share of all n pairs.
        weight: float32 [n], behaviour weight of the pair.
    """

    user: IntArray
    item: IntArray
    split: NDArray[np.int8]
    shot_rank: NDArray[np.int32]
    share_rank: NDArray[np.float64]
    weight: NDArray[np.float32]

    def part(self, split: int) -> tuple[IntArray, IntArray]:
        """(user, item) pairs of one split, int64 [m] each."""
        keep = self.split == split
        return self.user[keep], self.item[keep]


@dataclass(frozen=True)
class KnowledgeGraph:
    """Nodes, typed edges and splits of a platform, all dense int64 numbers.

    No validation or test interaction is ever an edge; `interactions` alone holds those.

    Attributes:
        sources: source domain names, in declared order.
        targets: target domain names, in declared order.
        user_ids, item_ids, entity_ids: original id (str object array) of each dense number.
        entity_names: display name (str object array) of each entity.
        interacts: per domain, users × items CSR of its training interactions.
        has_entity: items × entities CSR of item-entity links.
        entity_entity: entities × entities CSR of triples (both directions), `kinds` = relation.
        social: users × users CSR of user-user edges (both directions).
        catalogue: per domain, ascending item numbers that may be ranked there.
        audience: per domain, ascending user numbers that get a vector there.
        interactions: per domain, its distinct pairs and their splits.
        entity_relations: relation names, indexed by `entity_entity.kinds`.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    user_ids: NDArray[np.object_]
    item_ids: NDArray[np.object_]
    entity_ids: NDArray[np.object_]
    entity_names: NDArray[np.object_]
    interacts: dict[str, CSR]
    has_entity: CSR
    entity_entity: CSR
    social: CSR
    catalogue: dict[str, IntArray]
    audience: dict[str, IntArray]
    interactions: dict[str, Interactions]
    entity_relations: tuple[str, ...] = ()

    @property
    def n_users(self) -> int:
        """Number of users on the platform."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items on the platform."""
        return len(self.item_ids)

    @property
    def n_entities(self) -> int:
        """Number of entities."""
        return len(self.entity_ids)
