"""A knowledge graph with fewer links or fewer source domains, made in memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import CSR, from_coo
from hier_dag.graph.knowledge_graph import KnowledgeGraph


def with_sources(graph: KnowledgeGraph, sources: tuple[str, ...]) -> KnowledgeGraph:
    """The graph as if the other source domains had never been declared.

    Their interactions go, and the links of items that they alone offer. Numbers of users, items and
    entities stay, and so does every target.

    Args:
        graph: the platform.
        sources: source domains to keep, a part of `graph.sources`.
    """
    if sources == graph.sources:
        return graph
    left = (*sources, *graph.targets)
    alone = np.zeros(graph.n_items, dtype=bool)
    for domain in set(graph.sources) - set(sources):
        alone[graph.catalogue[domain]] = True
    for domain in left:
        alone[graph.catalogue[domain]] = False
    return replace(
        graph,
        sources=sources,
        interacts={d: graph.interacts[d] for d in left},
        interactions={d: graph.interactions[d] for d in left},
        catalogue={d: graph.catalogue[d] for d in left},
        audience={d: graph.audience[d] for d in left},
        has_entity=_kept(graph.has_entity, ~alone[graph.has_entity.row_of_entry()]),
    )


def with_links(graph: KnowledgeGraph, share: float, seed: int) -> KnowledgeGraph:
    """The graph with a share of its item-entity links and of its triples, drawn at random.

    A smaller share of the same seed is a part of a larger one, so that a curve over shares is not blurred
    by the draw. No interaction is read or dropped.

    Args:
        graph: the platform.
        share: in (0, 1].
        seed: of the draw.
    """
    if share >= 1:
        return graph
    rng = np.random.default_rng(seed)
    return replace(
        graph,
        has_entity=_kept(graph.has_entity, _lowest(rng.permutation(graph.has_entity.nnz), share)),
        entity_entity=_kept(graph.entity_entity, _lowest(_by_triple(graph.entity_entity, rng), share)),
    )


def _by_triple(both_ways: CSR, rng: np.random.Generator) -> NDArray[np.int64]:
    """A random rank for each entry, int64 [nnz]; the two directions of a triple share theirs."""
    row, col = both_ways.row_of_entry(), both_ways.indices
    kind = np.zeros_like(col) if both_ways.kinds is None else both_ways.kinds
    ends = np.stack([kind, np.minimum(row, col), np.maximum(row, col)])
    triples, of_entry = np.unique(ends, axis=1, return_inverse=True)
    ranks: NDArray[np.int64] = rng.permutation(triples.shape[1])[of_entry.ravel()]
    return ranks


def _lowest(ranks: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    return ranks < round(share * (int(ranks.max(initial=-1)) + 1))


def _kept(csr: CSR, keep: NDArray[np.bool_]) -> CSR:
    return from_coo(
        csr.row_of_entry()[keep],
        csr.indices[keep],
        csr.rows,
        csr.cols,
        values=None if csr.values is None else csr.values[keep],
        kinds=None if csr.kinds is None else csr.kinds[keep],
    )
