"""Scores one setting of a target: HIER and every baseline on the same users, items and ties."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hier_dag.evaluate.baselines import BASELINES, Evidence
from hier_dag.evaluate.metrics import user_metrics
from hier_dag.evaluate.ranking import RankingTask, Scorer, rank_tests
from hier_dag.evaluate.records import HIER, Scored
from hier_dag.graph.csr import CSR, FloatArray, IntArray, from_coo
from hier_dag.graph.knowledge_graph import TEST, KnowledgeGraph
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.shots import Shots, positions
from hier_dag.transfer.vectors import DomainVectors


def judged_users(graph: KnowledgeGraph, domain: str) -> tuple[IntArray, CSR]:
    """Users with test items and those items, as positions: (int64 [n], n × m CSR)."""
    audience, catalogue = graph.audience[domain], graph.catalogue[domain]
    user, item = graph.interactions[domain].part(TEST)
    rows, row = np.unique(positions(audience, user), return_inverse=True)
    return rows, from_coo(row, positions(catalogue, item), len(rows), len(catalogue))


def ranking_task(graph: KnowledgeGraph, domain: str, shots: Shots | None) -> RankingTask:
    """The ranking of a setting: its few-shot training items masked, none in zero-shot."""
    rows, test = judged_users(graph, domain)
    at = np.full(len(graph.audience[domain]), -1, dtype=np.int64)
    at[rows] = np.arange(len(rows))
    user = np.zeros(0, dtype=np.int64) if shots is None else at[shots.user]
    item = np.zeros(0, dtype=np.int64) if shots is None else shots.item
    masked = from_coo(user[user >= 0], item[user >= 0], len(rows), test.cols)
    return RankingTask(rows=rows, items=graph.catalogue[domain], test=test, masked=masked)


def score_setting(
    graph: KnowledgeGraph,
    domain: str,
    shots: Shots | None,
    hier: Sequence[DomainVectors],
    params: TransferParams,
) -> list[Scored]:
    """Per-user metrics of HIER and of every baseline that exists in this setting, averaged over seeds.

    Args:
        graph: interactions and links.
        domain: the target.
        shots: few-shot interactions, or None for zero-shot.
        hier: HIER's vectors, one a seed, or a single one for all seeds.
        params: seeds (of ties, too) and cutoffs.
    """
    task = ranking_task(graph, domain, shots)
    nothing = np.zeros(0, dtype=np.int64)
    user = nothing if shots is None else graph.audience[domain][shots.user]
    item = nothing if shots is None else graph.catalogue[domain][shots.item]
    evidence = Evidence(graph=graph, domain=domain, user=user, item=item)
    name = "0" if shots is None else shots.name
    scorers: list[tuple[str, str, list[Scorer]]] = [(HIER, hier[0].method, [v.scorer() for v in hier])]
    for model, baseline in BASELINES.items():
        if (scorer := baseline(evidence)) is not None:
            scorers.append((model, "", [scorer]))
    return [
        Scored(name, model, variant, _seed_mean(each, task, params), len(params.seeds))
        for model, variant, each in scorers
    ]


def _seed_mean(scorers: Sequence[Scorer], task: RankingTask, params: TransferParams) -> FloatArray:
    total: FloatArray | None = None
    for at, seed in enumerate(params.seeds):
        ranks = rank_tests(scorers[min(at, len(scorers) - 1)], task, seed)
        metrics = user_metrics(ranks, task.test.indptr, params.cutoffs)
        total = metrics if total is None else total + metrics
    assert total is not None
    return total / np.float32(len(params.seeds))
