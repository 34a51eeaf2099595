"""Connected components of the union of all relations, edges taken as undirected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from hier_dag.graph.csr import IntArray
from hier_dag.graph.relations import NodeType, Relation

Labels = NDArray[np.int32]


def components(counts: Mapping[NodeType, int], relations: Iterable[Relation]) -> Labels:
    """Labels every node with its component.

    Most edges lie inside a component that a few of them already hold together. So components are found over
    the first edge of every row, then over those edges that still join two: the same answer as over all
    edges at once, at a tenth of the cost.

    Args:
        counts: nodes of each type.
        relations: every end must be a node.

    Returns:
        int32 [nodes], types one after another in the order of `counts`; labels 0 … components - 1.
    """
    starts = dict(zip(counts, np.cumsum([0, *counts.values()]), strict=False))
    joined = [r for r in relations if r.csr.nnz]
    nodes = sum(counts.values())
    first = [_first_edges(r, starts) for r in joined]
    labels = _merge(np.arange(nodes, dtype=np.int32), first)
    rest = [_between(r, starts, counts, labels) for r in joined]
    return _merge(labels, rest)


def _merge(labels: Labels, edges: list[tuple[IntArray, IntArray]]) -> Labels:
    """Components over edges between labels, given back to every node."""
    if not sum(len(a) for a, _ in edges):
        return labels
    n = int(labels.max()) + 1
    a, b = (np.concatenate(side) for side in zip(*edges, strict=True))
    joined = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n))
    _, merged = connected_components(joined, directed=False)
    return np.asarray(merged, dtype=np.int32)[labels]


def _first_edges(relation: Relation, starts: Mapping[NodeType, int]) -> tuple[IntArray, IntArray]:
    csr = relation.csr
    rows = np.flatnonzero(relation.out_degrees)
    return rows + starts[relation.source], csr.indices[csr.indptr[rows]] + starts[relation.target]


def _between(
    relation: Relation, starts: Mapping[NodeType, int], counts: Mapping[NodeType, int], labels: Labels
) -> tuple[IntArray, IntArray]:
    """Labels at both ends of the edges whose ends are labelled differently."""
    a, b = (labels[starts[t] : starts[t] + counts[t]] for t in (relation.source, relation.target))
    left, right = np.repeat(a, relation.out_degrees), b[relation.csr.indices]
    apart = np.flatnonzero(left != right)
    return left[apart].astype(np.int64), right[apart].astype(np.int64)
