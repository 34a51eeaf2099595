"""Runs one cell: the graph changed in memory, pre-training, transfer to every target, figures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from hier_dag.evaluate.records import RECORD_SCHEMA
from hier_dag.graph.knowledge_graph import TRAIN, KnowledgeGraph
from hier_dag.study.graph_change import with_links, with_sources
from hier_dag.study.measure import USERS_SCHEMA, measure
from hier_dag.study.setting import Setting
from hier_dag.train.pretrain import pretrain
from hier_dag.train.pretrained import Pretrained
from hier_dag.train.progress import Progress

Report = Callable[[str, float], None]
"""Called with what is happening and the share of the cell that is done, in [0, 1]."""

_LAST: dict[tuple[object, ...], tuple[Pretrained, float]] = {}

_PRETRAINING = 0.7  # of a cell's time, about; only progress depends on it


@dataclass(frozen=True)
class CellResult:
    """Figures of one cell.

    Attributes:
        records: `RECORD_SCHEMA` of every target, model `hier` alone.
        users: `USERS_SCHEMA` of every target.
        facts: sizes of graph and model, the best epoch and its source validation.
        seconds: `pretrain_s`, `transfer_s` (all targets and settings) and `scoring_s`.
    """

    records: pa.Table
    users: pa.Table
    facts: dict[str, Any]
    seconds: dict[str, float]


def run_cell(graph: KnowledgeGraph, key: str, setting: Setting, report: Report) -> CellResult:
    """Runs a cell on a platform's full graph.

    Cells that differ in transfer alone follow one another: the last encoder is kept in memory for them.

    Args:
        graph: all of it.
        key: its digest.
        setting: the cell's.
        report: told how it goes.

    Raises:
        TrainingError: pre-training or transfer went wrong.
    """
    graph = with_links(with_sources(graph, setting.sources), setting.links, setting.seed)
    pretrained, pretrain_s = _pretrained(graph, key, setting, report)
    seconds = {"pretrain_s": pretrain_s, "transfer_s": 0.0, "scoring_s": 0.0}
    records, users = [RECORD_SCHEMA.empty_table()], [USERS_SCHEMA.empty_table()]
    for at, domain in enumerate(setting.targets):
        done = at / len(setting.targets)
        report(f"transfer to {domain}", _PRETRAINING + (1 - _PRETRAINING) * done)
        one = measure(graph, pretrained.encoding, domain, setting.shots, setting.transfer)
        records.append(one.records)
        users.append(one.users)
        seconds["transfer_s"] += one.transfer_s
        seconds["scoring_s"] += one.scoring_s
    return CellResult(
        records=pa.concat_tables(records),
        users=pa.concat_tables(users),
        facts=_facts(graph, pretrained),
        seconds={name: round(value, 3) for name, value in seconds.items()},
    )


def _pretrained(
    graph: KnowledgeGraph, key: str, setting: Setting, report: Report
) -> tuple[Pretrained, float]:
    """The cell's encoder and the seconds that its pre-training took, now or for an earlier cell."""
    wanted = (key, setting.pretrain, setting.links, setting.sources, setting.seed)
    if wanted not in _LAST:
        began = time.perf_counter()
        made = pretrain(graph, setting.pretrain, lambda p: report(*_words(p)))
        _LAST.clear()
        _LAST[wanted] = (made, time.perf_counter() - began)
    return _LAST[wanted]


def _words(p: Progress) -> tuple[str, float]:
    text = f"pre-training, epoch {p.epoch}/{p.epochs}, loss {p.loss:.3f}"
    done = ((p.epoch - 1) * p.steps + p.step) / (p.epochs * p.steps)
    return text, _PRETRAINING * done


def _facts(graph: KnowledgeGraph, pretrained: Pretrained) -> dict[str, Any]:
    best = next(e for e in pretrained.curve if e.epoch == pretrained.best_epoch)
    pairs = {d: int((graph.interactions[d].split == TRAIN).sum()) for d in graph.sources}
    return {
        "sources": len(graph.sources),
        "source_pairs": sum(pairs.values()),
        "item_entity_links": graph.has_entity.nnz,
        "triples": graph.entity_entity.nnz // 2,
        "weights": sum(int(p.numel()) for p in pretrained.model.parameters()),
        "best_epoch": pretrained.best_epoch,
        "validation_ndcg10": None if best.ndcg is None else round(best.ndcg, 6),
        "open_paths": round(best.open_paths, 6),
    }
