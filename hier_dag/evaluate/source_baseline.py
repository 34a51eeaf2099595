"""The untrained entity profile on the source validation split: what an encoder must beat to be committed."""

from __future__ import annotations

import numpy as np

from hier_dag.evaluate.baselines import BASELINES, Evidence
from hier_dag.evaluate.metrics import user_metrics
from hier_dag.evaluate.ranking import RankingTask, rank_tests
from hier_dag.graph.csr import from_coo
from hier_dag.graph.knowledge_graph import VALIDATION, KnowledgeGraph

_CUTOFF = 10


def profile_on_validation(graph: KnowledgeGraph, sample: int, seed: int) -> float | None:
    """NDCG@10 of the untrained entity profile, mean over source domains of means over users.

    Same ranking as pre-training's own validation: the domain's catalogue, training items masked.

    Args:
        graph: the knowledge graph; targets are not read.
        sample: most users scored in each domain.
        seed: seeds the sample and ties.

    Returns:
        None where no source has a validation pair.
    """
    figures = [_domain_ndcg(graph, d, sample, seed) for d in graph.sources]
    known = [f for f in figures if f is not None]
    return float(np.mean(known)) if known else None


def _domain_ndcg(graph: KnowledgeGraph, domain: str, sample: int, seed: int) -> float | None:
    user, item = graph.interactions[domain].part(VALIDATION)
    users = np.unique(user)
    if len(users) == 0:
        return None
    if len(users) > sample:
        users = np.sort(np.random.default_rng(seed).choice(users, sample, replace=False))
    audience, catalogue = graph.audience[domain], graph.catalogue[domain]
    row = np.full(graph.n_users, -1, dtype=np.int64)
    row[users] = np.arange(len(users))
    column = np.full(graph.n_items, -1, dtype=np.int64)
    column[catalogue] = np.arange(len(catalogue))
    train = graph.interacts[domain]
    train_row, train_col = row[train.row_of_entry()], column[train.indices]
    task = RankingTask(
        rows=np.searchsorted(audience, users),
        items=catalogue,
        test=from_coo(row[user[row[user] >= 0]], column[item[row[user] >= 0]], len(users), len(catalogue)),
        masked=from_coo(train_row[train_row >= 0], train_col[train_row >= 0], len(users), len(catalogue)),
    )
    nothing = np.zeros(0, dtype=np.int64)
    scorer = BASELINES["entity_profile"](Evidence(graph=graph, domain=domain, user=nothing, item=nothing))
    assert scorer is not None
    metrics = user_metrics(rank_tests(scorer, task, seed), task.test.indptr, (_CUTOFF,))
    return float(metrics[:, _ndcg_column()].mean())


def _ndcg_column() -> int:
    from hier_dag.evaluate.metrics import declared_metrics

    return next(i for i, m in enumerate(declared_metrics((_CUTOFF,))) if m.name == "ndcg")
