"""Who an entity's neighbours are: entities that share items with it, and its triples."""

from __future__ import annotations

import numpy as np

from hier_dag.graph.csr import CSR, from_coo

CO_OCCURS = 0


def co_occurrence(has_entity: CSR) -> CSR:
    """Entities × entities, weighted by how many items two entities share; no diagonal.

    Comes from item-entity links alone, never from an interaction (hier.md, eq. a). Cost: the sum over
    items of its squared number of entities.

    Args:
        has_entity: items × entities links.

    Returns:
        CSR with float32 counts as values.
    """
    n = has_entity.cols
    degrees = has_entity.degrees()
    per_link = np.repeat(degrees, degrees)
    left = np.repeat(has_entity.indices, per_link)
    first = np.repeat(has_entity.indptr[:-1], degrees)
    before = np.cumsum(per_link) - per_link
    within = np.arange(len(left)) - np.repeat(before, per_link)
    right = has_entity.indices[np.repeat(first, per_link) + within]
    keep = left != right
    pair, shared = np.unique(left[keep] * n + right[keep], return_counts=True)
    return from_coo(pair // n, pair % n, n, n, values=shared.astype(np.float32))


def entity_neighbours(has_entity: CSR, triples: CSR) -> CSR:
    """Co-occurrence and triples together; a triple weighs as much as one shared item.

    Args:
        has_entity: items × entities links.
        triples: entities × entities, both directions, `kinds` = relation number or None for one relation.

    Returns:
        Entities × entities CSR with float32 weights; `kinds` is CO_OCCURS or 1 + the triple's relation.
    """
    shared = co_occurrence(has_entity)
    relation = np.zeros(triples.nnz, np.int64) if triples.kinds is None else triples.kinds
    weight = np.ones(triples.nnz, np.float32) if triples.values is None else triples.values
    return from_coo(
        np.concatenate([shared.row_of_entry(), triples.row_of_entry()]),
        np.concatenate([shared.indices, triples.indices]),
        shared.rows,
        shared.cols,
        values=np.concatenate([shared.values, weight]),
        kinds=np.concatenate([np.full(shared.nnz, CO_OCCURS), 1 + relation]),
    )
