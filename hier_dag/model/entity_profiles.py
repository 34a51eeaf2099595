"""Untrained entity profiles in few dimensions: what items, and users' histories, are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]

from hier_dag.graph.csr import CSR, FloatArray
from hier_dag.model.singular import leading_directions
from hier_dag.model.spectral import ones


@dataclass(frozen=True)
class EntityProfiles:
    """tf-idf profiles; their inner product approximates the cosine of the full ones.

    Attributes:
        users: float32 [n_users, e], over source history; zero without one.
        items: float32 [n_items, e]; zero without entities.
        known: float32 [n_items], share of an item's entities that sit on a source item too.
        breadth: float32 [n_items], log(1 + number of the item's entities).
    """

    users: FloatArray
    items: FloatArray
    known: FloatArray
    breadth: FloatArray


def entity_profiles(has_entity: CSR, history: CSR, dim: int, seed: int) -> EntityProfiles:
    """Projects unit tf-idf rows on the items' `dim` leading right singular vectors; exact if all.

    Entity weights are log(items / items with the entity) over the whole platform, as in the baseline
    `entity_profile`.

    Args:
        has_entity: items × entities.
        history: users × items, training interactions of all sources.
        dim: e at most.
        seed: seeds the iteration.
    """
    links = ones(has_entity)
    frequency = np.maximum(np.asarray(links.sum(axis=0)).ravel(), 1.0)
    weighted = (links @ sp.diags(np.log(max(1, has_entity.rows) / frequency))).tocsr()
    seen = np.zeros(has_entity.rows, np.float32)
    seen[np.unique(history.indices)] = 1
    shared = (links.T @ seen > 0).astype(np.float32)
    known = ((links @ shared) / np.maximum(has_entity.degrees(), 1)).astype(np.float32)
    items = _unit(weighted)
    users = _unit((ones(history) @ weighted).tocsr())
    _, basis = leading_directions(items, dim, seed)
    breadth = np.log1p(has_entity.degrees()).astype(np.float32)
    return EntityProfiles(users @ basis.T, items @ basis.T, known, breadth)


def _unit(rows: sp.csr_array) -> sp.csr_array:
    norm = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return (sp.diags(1.0 / np.where(norm > 0, norm, 1.0)) @ rows).tocsr().astype(np.float32)
