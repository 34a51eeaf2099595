"""Transfer of an encoder to one target: vectors to publish, and the figures to judge them by."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hier_dag.evaluate.metrics import declared_metrics
from hier_dag.evaluate.records import Scored, make_records
from hier_dag.graph.knowledge_graph import TEST, KnowledgeGraph
from hier_dag.graph.training_pairs import Used
from hier_dag.model.encoding import Encoding
from hier_dag.transfer.few_shot import FewShot, few_shot, zero_shot_vectors
from hier_dag.transfer.head import HeadState
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.score import judged_users, score_setting
from hier_dag.transfer.shots import Shots, draw_shots, settings_of, used_pairs
from hier_dag.transfer.target import Target, make_target
from hier_dag.transfer.vectors import DomainVectors

Progress = Callable[[str, int, int], None]
"""Called with (what is done next, steps done, steps in all)."""


@dataclass(frozen=True)
class Transferred:
    """Everything that transfer to one target made.

    Attributes:
        domain: the target.
        records: figures, `hier_dag.evaluate.records.RECORD_SCHEMA`; empty without test interactions.
        published: vectors of `params.publish_shots`; zero-shot where no training interaction exists.
        head: the head of the published vectors; None for zero-shot.
        shots: the setting published: "0", or `params.publish_shots`.
        pairs_used: training pairs of the target that the published vectors know.
        used: the pairs of all settings: what any of them was fitted to.
        seconds: wall time.
    """

    domain: str
    records: pa.Table
    published: DomainVectors
    head: HeadState | None
    shots: str
    pairs_used: int
    used: Used
    seconds: float

    @property
    def scalars(self) -> dict[str, float]:
        """The published head's scalars (`HeadState`); empty for zero-shot."""
        return self.head.scalars if self.head else {}


def transfer(
    graph: KnowledgeGraph,
    encoding: Encoding,
    domain: str,
    params: TransferParams,
    progress: Progress | None = None,
) -> Transferred:
    """Transfers an encoder to a target and scores it, zero-shot and with every declared few-shot setting.

    Zero-shot reads no interaction of the target. A few-shot setting reads its own training pairs; test
    pairs are read by scoring alone, validation pairs not at all. Settings whose subset is empty
    (1 % of very little) have no record.

    Args:
        graph: the knowledge graph with its splits.
        encoding: zero-shot vectors of the whole platform.
        domain: the target; it may have no interaction at all.
        params: settings, seeds and hyper-parameters.
        progress: told before each setting.

    Raises:
        TrainingError: vectors or scores are not finite.
    """
    began = time.perf_counter()
    target = make_target(graph, encoding, domain)
    judged = bool((graph.interactions[domain].split == TEST).any())
    settings = settings_of(graph, domain, params.shots, params.publish_shots)
    scored: list[Scored] = []
    drawn: list[Shots] = []
    published, head, shots_published, used = zero_shot_vectors(target, params), None, "0", 0
    if judged:
        _tell(progress, "zero-shot", 0, len(settings) + 1)
        scored += score_setting(graph, domain, None, [published], params)
    for at, name in enumerate(settings):
        _tell(progress, f"few-shot {name}", at + 1, len(settings) + 1)
        shots = draw_shots(graph, domain, name)
        if len(shots.user) == 0:
            continue
        drawn.append(shots)
        made: list[FewShot] = few_shot(target, shots, params)
        if judged:
            scored += score_setting(graph, domain, shots, [one.vectors for one in made], params)
        if name == params.publish_shots:
            published, head, shots_published = made[0].vectors, made[0].head, name
            used = len(shots.user)
    _tell(progress, "intervals", len(settings) + 1, len(settings) + 1)
    return Transferred(
        domain=domain,
        records=_records(graph, target, scored, params),
        published=published,
        head=head,
        shots=shots_published,
        pairs_used=used,
        used=used_pairs(graph, domain, drawn),
        seconds=time.perf_counter() - began,
    )


def _records(graph: KnowledgeGraph, target: Target, scored: list[Scored], params: TransferParams) -> pa.Table:
    origin = (
        target.user_origin[judged_users(graph, target.domain)[0]] if scored else np.zeros(0, dtype=np.int8)
    )
    return make_records(
        target.domain, scored, declared_metrics(params.cutoffs), origin, params.bootstrap, params.seeds[0]
    )


def _tell(progress: Progress | None, what: str, done: int, total: int) -> None:
    if progress is not None:
        progress(what, done, total)
