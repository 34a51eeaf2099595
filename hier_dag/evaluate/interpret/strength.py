"""How strongly every intent drives every domain."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph


def domain_strength(intents: FloatArray, users: Mapping[str, IntArray]) -> FloatArray:
    """Mean a_up over each domain's users with source history, float32 [P, domains]; 0 where it has none.

    Args:
        intents: a, float32 [n_users, P]; a row of zeros is a user without source history.
        users: by domain, int64 numbers of its users.
    """
    columns = []
    for numbers in users.values():
        own = intents[numbers]
        own = own[own.any(axis=1)]
        columns.append(own.mean(axis=0) if len(own) else np.zeros(intents.shape[1], np.float32))
    return np.stack(columns, axis=1).astype(np.float32)


def users_by_domain(graph: KnowledgeGraph, domains: tuple[str, ...]) -> dict[str, IntArray]:
    """Users of some domains: of a source those who train it, of a target everyone who gets a vector there."""
    sources = set(graph.sources)
    return {
        d: np.flatnonzero(graph.interacts[d].degrees()) if d in sources else graph.audience[d]
        for d in domains
    }
