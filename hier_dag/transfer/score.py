"""Scores one setting of a target: HIER and every baseline on the same users, items and ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hier_dag.evaluate.baselines import Evidence, all_baselines, fast_baselines
from hier_dag.evaluate.baselines.base import Baseline
from hier_dag.evaluate.judge import judge
from hier_dag.evaluate.ranking import RankingTask, Scorer
from hier_dag.evaluate.records import HIER, Scored
from hier_dag.graph.csr import CSR, IntArray, from_coo
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
    """Figures of HIER and of every baseline that exists in this setting, averaged over seeds.

    What is novel is judged by the few-shot counts of items, in zero-shot by their source counts.

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
    for model, baseline in fast_baselines().items():
        if (scorer := baseline(evidence)) is not None:
            scorers.append((model, "", [scorer]))
    for model, baseline in _trained(params).items():
        made = [baseline(replace(evidence, seed=seed)) for seed in params.seeds]
        if present := [scorer for scorer in made if scorer is not None]:
            scorers.append((model, "", present))
    known = _source_counts(graph, domain) if shots is None else shots.counts()
    origin = hier[0].user_origin[task.rows]
    out = []
    for model, variant, each in scorers:
        judged = judge(each, task, params.seeds, params.cutoffs, known, origin, zero_shot=shots is None)
        out.append(
            Scored(
                shots=name,
                model=model,
                variant=variant,
                values=judged.values,
                seeds=len(params.seeds),
                cold_items=judged.cold_items,
                novelty=judged.novelty,
                exposures=judged.exposures,
            )
        )
    return out


def _trained(params: TransferParams) -> dict[str, Baseline]:
    """The declared baselines that are trained by gradients; `TransferParams` lets no other name through."""
    if not params.trained_baselines:
        return {}
    known = all_baselines()
    return {name: known[name] for name in params.trained_baselines}


def _source_counts(graph: KnowledgeGraph, domain: str) -> IntArray:
    """Source training interactions of each item of a target's catalogue, int64 [m]."""
    counts = np.zeros(graph.n_items, dtype=np.int64)
    for source in graph.sources:
        counts += np.bincount(graph.interacts[source].indices, minlength=graph.n_items)
    return counts[graph.catalogue[domain]]
