"""What pre-training may see of a platform: content links of all items, interactions of sources only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]
from numpy.typing import NDArray

from hier_dag.graph.csr import CSR, FloatArray, IntArray, from_coo
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.model.neighbours import entity_neighbours


@dataclass(frozen=True)
class SourceView:
    """The part of a knowledge graph that an encoder is built on. No target interaction is read.

    Content nodes are the entities, then one node of its own for every item without entities.

    Attributes:
        n_users: users of the platform.
        n_items: items of the platform.
        n_entities: entities.
        history: users × items, training interactions of all sources, each pair once.
        content: items × content nodes.
        neighbours: content nodes × content nodes, weighted, `kinds` = relation (0: co-occurrence).
        relations: number of kinds of neighbour.
        seen: bool [content nodes], whether the node sits on a source training item.
    """

    n_users: int
    n_items: int
    n_entities: int
    history: CSR
    content: CSR
    neighbours: CSR
    relations: int
    seen: NDArray[np.bool_]

    @property
    def n_nodes(self) -> int:
        """Number of content nodes."""
        return self.content.cols

    def entity_links(self) -> CSR:
        """Items × entities, without the own nodes of items that have no entity."""
        keep = self.content.indices < self.n_entities
        return from_coo(
            self.content.row_of_entry()[keep], self.content.indices[keep], self.n_items, self.n_entities
        )

    def tastes(self) -> CSR:
        """Users × content nodes: Σ over each user's history of the items' mean content, entries merged.

        It sums a user's content over nodes, of which there are few and which a history repeats, where a sum
        over items would need the vectors of the whole catalogue first.
        """
        share = (1 / np.maximum(self.content.degrees(), 1)).astype(np.float32)
        content = _scipy(self.content, np.repeat(share, self.content.degrees()))
        product = (_scipy(self.history, np.ones(self.history.nnz, np.float32)) @ content).sorted_indices()
        indptr, indices = product.indptr.astype(np.int64), product.indices.astype(np.int64)
        return CSR(indptr=indptr, indices=indices, cols=self.n_nodes, values=product.data)

    def trained_items(self) -> NDArray[np.bool_]:
        """Whether each item has a source training interaction, bool [n_items]."""
        return np.bincount(self.history.indices, minlength=self.n_items) > 0

    def users_with_history(self) -> NDArray[np.bool_]:
        """Whether each user has a source training interaction, bool [n_users]."""
        return self.history.degrees() > 0


def _scipy(csr: CSR, values: FloatArray) -> sp.csr_array:
    return sp.csr_array((values, csr.indices, csr.indptr), shape=(csr.rows, csr.cols))


def source_view(graph: KnowledgeGraph) -> SourceView:
    """Extracts it from a knowledge graph."""
    content = _with_own_nodes(graph.has_entity)
    history = source_history(graph, graph.sources)
    trained = np.bincount(history.indices, minlength=graph.n_items) > 0
    seen = np.bincount(content.indices[trained[content.row_of_entry()]], minlength=content.cols) > 0
    neighbours = entity_neighbours(graph.has_entity, graph.entity_entity)
    relations = 1 + int(neighbours.kinds.max(initial=0)) if neighbours.kinds is not None else 1
    return SourceView(
        n_users=graph.n_users,
        n_items=graph.n_items,
        n_entities=graph.n_entities,
        history=history,
        content=content,
        neighbours=_padded(neighbours, content.cols),
        relations=max(relations, 1 + len(graph.entity_relations)),
        seen=seen,
    )


def source_history(graph: KnowledgeGraph, sources: Iterable[str]) -> CSR:
    """Users × items, training interactions of some sources, each pair once."""
    return _union([graph.interacts[domain] for domain in sources], graph.n_users, graph.n_items)


def _union(parts: list[CSR], rows: int, cols: int) -> CSR:
    pairs: list[IntArray] = [part.row_of_entry() * cols + part.indices for part in parts]
    pair = np.unique(np.concatenate(pairs)) if pairs else np.zeros(0, np.int64)
    return from_coo(pair // cols, pair % cols, rows, cols)


def _with_own_nodes(has_entity: CSR) -> CSR:
    bare = np.flatnonzero(has_entity.degrees() == 0)
    return from_coo(
        np.concatenate([has_entity.row_of_entry(), bare]),
        np.concatenate([has_entity.indices, has_entity.cols + np.arange(len(bare))]),
        has_entity.rows,
        has_entity.cols + len(bare),
    )


def _padded(square: CSR, n: int) -> CSR:
    indptr = np.concatenate([square.indptr, np.full(n - square.rows, square.indptr[-1])])
    return CSR(indptr=indptr, indices=square.indices, cols=n, values=square.values, kinds=square.kinds)
