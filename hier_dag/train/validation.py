"""NDCG@10 and HR@10 of an encoder on the validation split of the source domains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hier_dag.graph.knowledge_graph import VALIDATION, KnowledgeGraph
from hier_dag.model.adjacency import Adjacency
from hier_dag.model.formulation import Formulation

CUTOFF = 10
_SCORES = 1 << 23  # held at once: 32 MiB, however large the catalogue


@dataclass(frozen=True)
class _DomainSample:
    """Validation users of one domain and what they are ranked against.

    Attributes:
        catalogue: int64 [c], in a random order fixed by the seed, so that ties fall at random.
        users: int64 [n] sampled users with at least one validation pair.
        known: n × c, their training items in this domain.
        wanted: n × c, their validation items.
    """

    catalogue: Tensor
    users: Tensor
    known: Adjacency
    wanted: Adjacency


class SourceValidation:
    """Full ranking of each source catalogue for a fixed sample of validation users.

    Args:
        graph: only its `sources` are read.
        users: most users sampled in each domain.
        seed: seeds the sample.
        device: where ranking runs.
    """

    def __init__(self, graph: KnowledgeGraph, users: int, seed: int, device: torch.device) -> None:
        rng = np.random.default_rng(seed)
        samples = (_sample(graph, domain, users, rng, device) for domain in graph.sources)
        self.samples = [sample for sample in samples if len(sample.users)]

    @torch.no_grad()
    def score(self, model: Formulation) -> tuple[float, float] | None:
        """(NDCG@10, HR@10), means over domains of means over users; None without validation pairs."""
        if not self.samples:
            return None
        was_training = model.training
        model.eval()
        items, bias = model.encode_items()
        encode = model.user_encoder()
        figures = [
            _domain_figures(lambda users: model.query(encode(users)), sample, items, bias)
            for sample in self.samples
        ]
        model.train(was_training)
        ndcg, hr = np.mean(figures, axis=0)
        return float(ndcg), float(hr)


def _sample(
    graph: KnowledgeGraph, domain: str, limit: int, rng: np.random.Generator, device: torch.device
) -> _DomainSample:
    user, item = graph.interactions[domain].part(VALIDATION)
    catalogue = rng.permutation(graph.catalogue[domain])
    users = np.unique(user)
    users = np.sort(rng.choice(users, limit, replace=False)) if len(users) > limit else users
    train = graph.interacts[domain]
    position = np.full(graph.n_items, -1, np.int64)
    position[catalogue] = np.arange(len(catalogue))
    row = np.full(graph.n_users, -1, np.int64)
    row[users] = np.arange(len(users))

    def matrix(u: np.ndarray, i: np.ndarray) -> Adjacency:
        keep = row[u] >= 0
        r, c = row[u[keep]], position[i[keep]]
        order = np.argsort(r, kind="stable")
        indptr = np.concatenate([[0], np.cumsum(np.bincount(r, minlength=len(users)))])
        return Adjacency(torch.tensor(indptr), torch.tensor(c[order]), len(catalogue)).to(device)

    return _DomainSample(
        catalogue=torch.tensor(catalogue, device=device),
        users=torch.tensor(users, device=device),
        known=matrix(train.row_of_entry(), train.indices),
        wanted=matrix(user, item),
    )


def _domain_figures(
    query: Callable[[Tensor], Tensor], sample: _DomainSample, items: Tensor, bias: Tensor
) -> tuple[float, float]:
    z, b = items[sample.catalogue], bias[sample.catalogue]
    k = min(CUTOFF, len(z))
    discount = 1 / torch.log2(torch.arange(2, k + 2, device=z.device, dtype=torch.float64))
    gain = torch.zeros((), dtype=torch.float64, device=z.device)
    hits = torch.zeros_like(gain)
    block = max(1, _SCORES // max(1, len(z)))
    for rows in torch.arange(len(sample.users), device=z.device).split(block):
        scores = torch.addmm(b, query(sample.users[rows]), z.T)
        known, wanted = sample.known.select(rows), sample.wanted.select(rows)
        scores[known.row_of_entry(), known.indices] = -torch.inf
        relevant = torch.zeros_like(scores, dtype=torch.bool)
        relevant[wanted.row_of_entry(), wanted.indices] = True
        hit = relevant.gather(1, scores.topk(k, dim=1).indices)
        ideal = discount.cumsum(0)[wanted.degrees().clamp(max=k) - 1]
        gain += ((hit * discount).sum(1) / ideal).sum()
        hits += hit.any(1).sum()
    return float(gain) / len(sample.users), float(hits) / len(sample.users)
