"""Writes the planted truth beside the logs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hier_dag.sample.decisions import Decisions
from hier_dag.sample.entities import Entities
from hier_dag.sample.events import EventSource
from hier_dag.sample.items import Items
from hier_dag.sample.params import SampleParams
from hier_dag.sample.plan import Plan
from hier_dag.sample.raw_rows import clean_rows
from hier_dag.sample.summary import FileCount, add_up
from hier_dag.sample.users import Users, user_blocks
from hier_dag.sample.vocabulary import EXEMPLARS, INTENTS


def write_truth(folder: Path, plan: Plan) -> None:
    """Writes what was planted before any event: intents, exemplars, paths, and who and what has them."""
    _write_decisions(folder, plan.decisions, plan.entities)
    _write_user_intents(folder, plan.users)
    _write_item_exemplars(folder, plan.catalogues)


def _write_decisions(folder: Path, decisions: Decisions, entities: Entities) -> None:
    """Writes intents, exemplars with the ids of their entities, and the open paths between them."""
    intents = pa.table({"intent": np.arange(len(INTENTS)), "name": INTENTS})
    pools = [[entities.ids[e] for e in pool if e >= 0] for pool in entities.pools]
    exemplars = pa.table(
        {
            "exemplar": np.arange(len(EXEMPLARS)),
            "name": [exemplar.name for exemplar in EXEMPLARS],
            "kind": [exemplar.kind for exemplar in EXEMPLARS],
            "entities": pa.array(pools, pa.list_(pa.string())),
        }
    )
    intent, exemplar = np.nonzero(decisions.path)
    path = {"intent": intent, "exemplar": exemplar, "weight": decisions.path[intent, exemplar]}
    pq.write_table(intents, folder / "intents.parquet")
    pq.write_table(exemplars, folder / "exemplars.parquet")
    pq.write_table(pa.table(path), folder / "decision_path.parquet")


def _write_user_intents(folder: Path, users: Users) -> None:
    """Writes every user's mixture of intents, a block of users a row group."""
    schema = users.intent_table(0, 0).schema
    with pq.ParquetWriter(folder / "user_intents.parquet", schema) as writer:
        for start, stop in user_blocks(len(users.activity)):
            writer.write_table(users.intent_table(start, stop))


def _write_item_exemplars(folder: Path, catalogues: dict[str, Items]) -> None:
    """Writes the planted exemplars of every item; an item of none has no row."""
    tables = [
        pa.table(
            {
                "item_id": items.ids.take(pa.array(items.exemplar_item)),
                "domain": pa.array([domain]).take(pa.array(np.zeros_like(items.exemplar))),
                "exemplar": items.exemplar,
            }
        )
        for domain, items in catalogues.items()
    ]
    pq.write_table(pa.concat_tables(tables), folder / "item_exemplars.parquet")


def write_unseen_events(folder: Path, source: EventSource, items: Items, users: int) -> None:
    """Writes the interactions that the service without a log would have had."""
    writer: Any = None
    for events in source.blocks():
        rows = clean_rows(events, items, users)
        if writer is None:
            writer = pq.ParquetWriter(folder / "empty_target_interactions.parquet", rows.schema)
        writer.write_table(rows)
    if writer is not None:
        writer.close()


def write_dirty(folder: Path, counts: dict[str, FileCount]) -> None:
    """Writes rows, clean rows and faults of each log file, and their sums by domain and over all."""
    domains = dict.fromkeys(count.domain for count in counts.values())
    by_domain = {
        domain: _sum([count for count in counts.values() if count.domain == domain]) for domain in domains
    }
    _write_json(
        folder / "dirty.json",
        {
            "files": {file: asdict(count) for file, count in counts.items()},
            "domains": by_domain,
            "total": _sum(list(counts.values())),
        },
    )


def write_params(folder: Path, params: SampleParams) -> None:
    """Writes the parameters that the platform was generated from."""
    _write_json(folder / "params.json", asdict(params))


def _sum(counts: list[FileCount]) -> dict[str, Any]:
    return {
        "rows": sum(count.rows for count in counts),
        "clean": sum(count.clean for count in counts),
        "faults": add_up([count.faults for count in counts]),
    }


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
