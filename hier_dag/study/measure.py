"""Figures of one target for one encoder: HIER alone, user by user, in every setting of a study.

Baselines are left to the report card: no cell of a study changes them. Vectors come from `transfer` on a
graph in which the target's test pairs are not there, so that no choice can rest on them; the full graph is
read by scoring alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from hier_dag.config.studies import ZERO_SHOT
from hier_dag.evaluate.metrics import Metric, declared_metrics, user_metrics
from hier_dag.evaluate.ranking import rank_tests
from hier_dag.evaluate.records import HIER, Scored, make_records
from hier_dag.graph.csr import IntArray, from_coo
from hier_dag.graph.knowledge_graph import TEST, TRAIN, VALIDATION, KnowledgeGraph
from hier_dag.model.encoding import Encoding
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.score import judged_users, ranking_task
from hier_dag.transfer.shots import draw_shots
from hier_dag.transfer.transfer import transfer

USERS_SCHEMA = pa.schema(
    [
        pa.field(name, kind, nullable=False)
        for name, kind in (
            ("domain", pa.string()), ("shots", pa.string()), ("user", pa.int64()),
            ("ndcg", pa.float32()), ("hr", pa.float32()),
        )
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """Figures of one target.

    Attributes:
        records: `RECORD_SCHEMA`, model `hier` alone; empty without test interactions.
        users: `USERS_SCHEMA`, NDCG and HR at the smallest cutoff, a row a user and setting.
        transfer_s: seconds of transfer.
        scoring_s: seconds of ranking and of intervals.
    """

    records: pa.Table
    users: pa.Table
    transfer_s: float
    scoring_s: float


def measure(
    graph: KnowledgeGraph, encoding: Encoding, domain: str, shots: tuple[str, ...], params: TransferParams
) -> Measured:
    """Transfers to a target and scores it in some settings; those whose subset is empty have no figure.

    Args:
        graph: the platform.
        encoding: zero-shot vectors of it.
        domain: the target.
        shots: "0" for zero-shot, else as `TransferParams.shots`.
        params: hyper-parameters and the seed; its own `shots` and `publish_shots` are not used.
    """
    began = time.perf_counter()
    transferring, scored = 0.0, []
    if (graph.interactions[domain].split == TEST).any():
        for name in shots:
            one, seconds = _score(graph, encoding, domain, name, params)
            transferring += seconds
            scored += [] if one is None else [one]
    metrics = declared_metrics(params.cutoffs)
    rows, _ = judged_users(graph, domain)
    origin = encoding.user_origin[graph.audience[domain]][rows]
    records = make_records(domain, scored, metrics, origin, params.bootstrap, params.seeds[0])
    tables = [_users(domain, one, graph.audience[domain][rows], metrics) for one in scored]
    users = pa.concat_tables([USERS_SCHEMA.empty_table(), *tables])
    return Measured(records, users, transferring, time.perf_counter() - began - transferring)


def _score(
    graph: KnowledgeGraph, encoding: Encoding, domain: str, name: str, params: TransferParams
) -> tuple[Scored | None, float]:
    """Per-user metrics of one setting, and seconds of its transfer."""
    shots = None if name == ZERO_SHOT else draw_shots(graph, domain, name)
    if shots is not None and len(shots.user) == 0:
        return None, 0.0
    began = time.perf_counter()
    blind = without_tests(graph, domain, training=shots is not None)
    wanted = replace(params, shots=(), publish_shots="all" if shots is None else name)
    vectors = transfer(blind, encoding, domain, wanted).published
    seconds = time.perf_counter() - began
    task = ranking_task(graph, domain, shots)
    ranks = rank_tests(vectors.scorer(), task, params.seeds[0])
    values = user_metrics(ranks, task.test.indptr, params.cutoffs)
    return Scored(shots=name, model=HIER, variant=vectors.method, values=values, seeds=1), seconds


def without_tests(graph: KnowledgeGraph, domain: str, *, training: bool) -> KnowledgeGraph:
    """The graph with a target's test pairs set aside, and its training pairs too where asked.

    Pairs set aside count as validation, which transfer does not read, so that a share of the domain stays
    as many pairs as it was.
    """
    pairs = graph.interactions[domain]
    keep = (pairs.split == TRAIN) & training
    aside = replace(
        pairs,
        split=np.where(keep, TRAIN, VALIDATION).astype(np.int8),
        shot_rank=np.where(keep, pairs.shot_rank, 0).astype(np.int32),
    )
    none = np.zeros(0, dtype=np.int64)
    edges = graph.interacts[domain] if training else from_coo(none, none, graph.n_users, graph.n_items)
    return replace(
        graph,
        interactions={**graph.interactions, domain: aside},
        interacts={**graph.interacts, domain: edges},
    )


def _users(domain: str, scored: Scored, users: IntArray, metrics: tuple[Metric, ...]) -> pa.Table:
    k = min(m.k for m in metrics if m.name == "ndcg")
    n = len(users)
    columns = [pa.array([domain] * n), pa.array([scored.shots] * n), pa.array(users)]
    columns += [pa.array(scored.values[:, metrics.index(Metric(name, k))]) for name in ("ndcg", "hr")]
    return pa.Table.from_arrays(columns, schema=USERS_SCHEMA)
