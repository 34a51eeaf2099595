"""The knowledge graph as a DGL heterograph that shares the CSR arrays' memory."""

from __future__ import annotations

from typing import Any

import torch

from hier_dag.graph.csr import CSR
from hier_dag.graph.dgl_compat import dgl
from hier_dag.graph.knowledge_graph import KnowledgeGraph


def to_dgl(graph: KnowledgeGraph) -> Any:
    """A DGL heterograph over users, items and entities; no array is copied.

    Relations: (user, interacts:<domain>, item) per domain, (item, has_entity, entity),
    (entity, related, entity) and (user, social, user). Do not change the arrays in place afterwards.
    """
    relations = {("user", f"interacts:{d}", "item"): _csr(c) for d, c in graph.interacts.items()}
    relations["item", "has_entity", "entity"] = _csr(graph.has_entity)
    relations["entity", "related", "entity"] = _csr(graph.entity_entity)
    relations["user", "social", "user"] = _csr(graph.social)
    sizes = {"user": graph.n_users, "item": graph.n_items, "entity": graph.n_entities}
    return dgl.heterograph(relations, num_nodes_dict=sizes)


def _csr(csr: CSR) -> tuple[str, tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    no_edge_ids = torch.empty(0, dtype=torch.int64)
    return "csr", (torch.from_numpy(csr.indptr), torch.from_numpy(csr.indices), no_edge_ids)


def agrees(graph: KnowledgeGraph) -> dict[str, int]:
    """Makes the heterograph and counts what it has and shares.

    Returns:
        nodes and edges of the heterograph, relations, and how many relations share their arrays with the
        CSR that they were made from (all of them, unless an array had to be copied).
    """
    hetero = to_dgl(graph)
    relations = {**{f"interacts:{d}": c for d, c in graph.interacts.items()}, "has_entity": graph.has_entity}
    relations |= {"related": graph.entity_entity, "social": graph.social}
    shared = 0
    for name, csr in relations.items():
        indptr, indices, _ = hetero.adj_tensors("csr", etype=name)
        same = indptr.data_ptr() == csr.indptr.ctypes.data
        shared += same and (csr.nnz == 0 or indices.data_ptr() == csr.indices.ctypes.data)
    return {
        "nodes": int(hetero.num_nodes()),
        "edges": int(hetero.num_edges()),
        "relations": len(relations),
        "shared_without_copy": int(shared),
    }
