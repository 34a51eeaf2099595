"""Shuffled training pairs of all source domains, with same-domain negatives."""

from __future__ import annotations

import torch
from torch import Tensor

from hier_dag.errors import TrainingError
from hier_dag.graph.csr import IntArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.graph.training_pairs import Used
from hier_dag.model.formulation import Batch


class SourcePairs:
    """Training interactions of the source domains, served as batches.

    Args:
        graph: only its `sources`' interacts and catalogues are read.
        batch_size: pairs a step.
        negatives: items drawn uniformly a step from each domain's catalogue.
        device: where batches live.

    Raises:
        TrainingError: the sources hold no training interaction.
    """

    def __init__(self, graph: KnowledgeGraph, batch_size: int, negatives: int, device: torch.device) -> None:
        self.batch_size, self.negatives = batch_size, negatives
        edges = [graph.interacts[domain] for domain in graph.sources]
        domains = [torch.full((csr.nnz,), n) for n, csr in enumerate(edges)]
        users = [torch.tensor(csr.row_of_entry()) for csr in edges]
        items = [torch.tensor(csr.indices) for csr in edges]
        if not sum(csr.nnz for csr in edges):
            raise TrainingError(
                "the source domains hold no training interaction",
                domain=", ".join(graph.sources),
                fix="declare at least one source domain with logs",
            )
        self.users, self.items = torch.cat(users).to(device), torch.cat(items).to(device)
        self.domains = torch.cat(domains).to(device)
        self.served = torch.zeros(len(self.users), dtype=torch.bool, device=device)
        self.sources = graph.sources
        self.catalogues = [_catalogue(graph.catalogue[domain], device) for domain in graph.sources]

    def __len__(self) -> int:
        return len(self.users)

    @property
    def steps(self) -> int:
        """Batches of an epoch; the last one may be smaller."""
        return -(-len(self) // self.batch_size)

    def order(self) -> Tensor:
        """A random order of the pairs, int64 [pairs], drawn from torch's CPU random state: an epoch's."""
        return torch.randperm(len(self)).to(self.users.device)

    def batch(self, order: Tensor, step: int) -> Batch:
        """The batch of a step, 1-based, of an epoch in some order, with negatives drawn anew."""
        rows = order[(step - 1) * self.batch_size : step * self.batch_size]
        self.served[rows] = True
        return self._batch(rows)

    def mark_served(self, order: Tensor, steps: int) -> None:
        """Notes the pairs of an epoch's first steps as served, when they were in an earlier process."""
        self.served[order[: steps * self.batch_size]] = True

    def used(self) -> list[Used]:
        """The pairs that steps were made of, by source."""
        out = []
        for number, source in enumerate(self.sources):
            rows = (self.domains == number) & self.served
            user, item = (ids[rows].cpu().numpy() for ids in (self.users, self.items))
            out.append(Used(source, (source,), user, item))
        return out

    def _batch(self, rows: Tensor) -> Batch:
        rows = rows[torch.argsort(self.domains[rows], stable=True)]
        counts = torch.bincount(self.domains[rows], minlength=len(self.catalogues)).tolist()
        negatives = torch.stack([_draw(catalogue, self.negatives) for catalogue in self.catalogues])
        rivals = torch.cat([_draw(c, n) for c, n in zip(self.catalogues, counts, strict=True)])
        return Batch(self.users[rows], self.items[rows], counts, negatives, rivals)


def _catalogue(items: IntArray, device: torch.device) -> Tensor:
    # A declared source without any item can never be drawn for a pair; one dummy keeps shapes regular.
    return torch.tensor(items if len(items) else [0], dtype=torch.int64, device=device)


def _draw(catalogue: Tensor, n: int) -> Tensor:
    # Drawn on CPU so that CPU and GPU see the same negatives.
    return catalogue[torch.randint(len(catalogue), (n,)).to(catalogue.device)]
