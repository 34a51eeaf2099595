"""KGIN: users through intents made of relations and entities, items through the knowledge graph."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hier_dag.evaluate.baselines.trained.bipartite import Bipartite
from hier_dag.evaluate.baselines.trained.recommender import Recommender
from hier_dag.graph.csr import CSR, from_coo
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.model.adjacency import Adjacency
from hier_dag.model.message_passing import spmm


class KGIN(Recommender):
    """Wang et al., WWW 2021 (arXiv 2102.07057), on item-entity links and triples.

    Nodes of the knowledge graph (items, then entities) aggregate e^(l+1) = mean over (r, t) of e_r ⊙ e_t^l.
    An intent is e_p = Σ_v softmax(w_p)_v e_r ⊙ e_v over the entities v of the item-entity relation r: the
    paper attends over relations alone, of which our graphs have too few to tell intents apart. Users
    aggregate e_u^(l+1) = (1 + Σ_p β_up e_p) ⊙ mean over history of e_i^l with β_u = softmax_p(e_p · e_u), as
    in the paper's code. Read-out: sum of layers. The extra loss makes intents independent: InfoNCE of each
    intent against the others.

    Args:
        graph: item-entity links and triples.
        dim: d.
        layers: L.
        intents: P.
        independence: weight of the extra loss.
    """

    def __init__(
        self, graph: KnowledgeGraph, dim: int, layers: int, intents: int = 4, independence: float = 1e-2
    ) -> None:
        super().__init__()
        self.n_users, self.n_items = graph.n_users, graph.n_items
        self.layers, self.independence = layers, independence
        self.relations = nn.ModuleList(_relations(graph))
        self.users = nn.Parameter(torch.empty(graph.n_users, dim))
        self.nodes = nn.Parameter(torch.empty(graph.n_items + graph.n_entities, dim))
        self.relation = nn.Parameter(torch.empty(len(self.relations), dim))
        self.attention = nn.Parameter(torch.empty(intents, graph.n_entities))
        degree = sum(relation.degrees() for relation in self.relations)
        self.register_buffer("mean", 1.0 / torch.clamp(degree, min=1)[:, None], persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Free vectors small, relations near 1 so that links start as plain means."""
        nn.init.normal_(self.users, std=0.1)
        nn.init.normal_(self.nodes, std=0.1)
        nn.init.normal_(self.relation, mean=1.0, std=0.1)
        nn.init.normal_(self.attention, std=0.1)

    def embed(self, edges: Bipartite) -> tuple[Tensor, Tensor, Tensor]:
        """(users [n_users, d], items [n_items, d], weighted independence loss)."""
        intents = self.intents()
        beta = torch.softmax(self.users @ intents.T, dim=1)
        gate = 1.0 + beta @ intents
        users, nodes = self.users, self.nodes
        user_sum, node_sum = users, nodes
        for _ in range(self.layers):
            users = gate * spmm(edges.history, nodes[: self.n_items], backend="torch")
            nodes = self._aggregate(nodes)
            user_sum, node_sum = user_sum + users, node_sum + nodes
        return user_sum, node_sum[: self.n_items], self.independence * _dependence(intents)

    def intents(self) -> Tensor:
        """e_p, float32 [P, d]."""
        return torch.softmax(self.attention, dim=1) @ (self.relation[0] * self.nodes[self.n_items :])

    def _aggregate(self, nodes: Tensor) -> Tensor:
        sums = [
            e * spmm(r, nodes, backend="torch") for e, r in zip(self.relation, self.relations, strict=True)
        ]
        return self.mean * torch.stack(sums).sum(dim=0)


def _dependence(intents: Tensor) -> Tensor:
    """-log softmax of each intent's cosine with itself among all, mean (paper, eq. 5)."""
    unit = F.normalize(intents, dim=1)
    return F.cross_entropy(unit @ unit.T / 0.2, torch.arange(len(unit)))


def _relations(graph: KnowledgeGraph) -> list[Adjacency]:
    """Item → entity, entity → item, then each kind of triple; items × entities numbered together."""
    n, of = graph.n_items + graph.n_entities, graph.n_items
    item, entity = graph.has_entity.row_of_entry(), of + graph.has_entity.indices
    parts = [from_coo(item, entity, n, n), from_coo(entity, item, n, n)]
    triples = graph.entity_entity
    kinds = np.zeros(triples.nnz, np.int64) if triples.kinds is None else triples.kinds
    head, tail = of + triples.row_of_entry(), of + triples.indices
    parts += [_of_kind(head, tail, kinds == kind, n) for kind in np.unique(kinds)]
    return [Adjacency.sums(part) for part in parts]


def _of_kind(head: np.ndarray, tail: np.ndarray, keep: np.ndarray, n: int) -> CSR:
    return from_coo(head[keep], tail[keep], n, n)
