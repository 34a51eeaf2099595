"""What a cell of the interpretability study holds: figures, families, names, labels of users, pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hier_dag.evaluate.interpret.chance import beyond_chance
from hier_dag.evaluate.interpret.families import family_strength
from hier_dag.evaluate.interpret.flow_picture import flow_png
from hier_dag.evaluate.interpret.platform import PlatformPaths, platform_paths
from hier_dag.evaluate.interpret.recovery import Match, matches, recovery, strongest
from hier_dag.evaluate.interpret.strength_picture import strength_png
from hier_dag.evaluate.interpret.truth import Truth, read_truth
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.model.encoding import Encoding
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import STUDY
from hier_dag.pipeline.workshop import Built
from hier_dag.study.files import CELL, RECORDS, USERS, columns
from hier_dag.train.interaction_tables import interaction_tables

FAMILIES = "families.parquet"
PICTURES = {"paths": "paths.png", "intents_by_domain": "intents_by_domain.png"}
SMALL = {name: f"small_{file}" for name, file in PICTURES.items()}
"""The same for the Dagster UI, below 50 kB."""


def write_cell(
    graph: KnowledgeGraph,
    folder: Path,
    encoding: Encoding,
    data: Path | None,
    request: Request,
    out: Path,
) -> Built:
    """Writes a cell: tables, pictures and counts.

    Args:
        graph: what the encoder was trained on.
        folder: its artifact.
        encoding: the encoder's.
        data: folder of the logs, beside which a planted truth may lie; None reads none.
        request: for the cell.
        out: staged folder.
    """
    study = request.kind.removeprefix(f"{STUDY}/")
    named = {"study": study, "cell": request.params["cell"], "seed": request.seeds[0]}
    told = platform_paths(graph, folder, encoding)
    family = np.array([intent.family for intent in told.reading.intents])
    families = family_strength(told.encoding.intents, family)
    truth = None if data is None else read_truth(data, graph.user_ids, graph.item_ids)
    found = [] if truth is None else matches(families, truth)
    _write(
        [{**named, **row} for row in _records(told, family, truth, named["seed"])], _RECORDS, out / RECORDS
    )
    _write([{**named, **row} for row in _families(told, found)], _FAMILIES, out / FAMILIES)
    users = {"user": np.flatnonzero(families.any(axis=1))}
    users["intent"] = strongest(told.encoding.intents)[users["user"]]
    users["family"] = strongest(families)[users["user"]]
    pq.write_table(pa.table(users), out / USERS, compression="zstd")
    for name, table in interaction_tables(told.encoding, told.view, graph).items():
        pq.write_table(table, out / name, compression="zstd")
    _draw(told, out)
    facts = {
        "intents": len(told.reading.intents),
        "exemplars": len(told.reading.exemplars),
        "families": len(told.reading.families),
        "users": len(users["user"]),
    }
    (out / CELL).write_text(json.dumps({**named, **facts}, indent=1, sort_keys=True), encoding="utf-8")
    return Built(tables=columns(out), summary=facts)


def _records(
    told: PlatformPaths, family: np.ndarray, truth: Truth | None, seed: int
) -> Iterator[dict[str, Any]]:
    reading = told.reading
    counts = {"intents": len(reading.intents), "families": len(reading.families)}
    counts["exemplars"] = len(reading.exemplars)
    for what, n in counts.items():
        yield _record(what, 0, "count", n, n)
    paths = told.encoding.paths
    yield _record("paths", 0, "open", int((paths > 0).sum()), float((paths > 0).mean()))
    links = told.view.entity_links()
    beyond = beyond_chance(reading, told.encoding, told.view.history, links, told.words, seed)
    for what, share in beyond.items():
        yield _record(what, 0, "beyond_chance", counts[what], share)
    if truth is None:
        return
    pairs, visits = (
        told.view.history.degrees(),
        np.bincount(told.view.history.indices, minlength=told.view.n_items),
    )
    for a in recovery(told.encoding, family, truth, pairs, visits):
        yield _record(a.what, a.evidence, "nmi", a.things, a.nmi)
        yield _record(a.what, a.evidence, "ari", a.things, a.ari)


def _record(what: str, evidence: int, metric: str, things: int, value: float) -> dict[str, Any]:
    return {"what": what, "evidence": evidence, "metric": metric, "things": things, "value": float(value)}


def _families(told: PlatformPaths, found: list[Match]) -> Iterator[dict[str, Any]]:
    match = {m.family: m for m in found}
    for family in sorted(told.reading.families, key=lambda f: (-f.strength, f.number)):
        m = match.get(family.number)
        yield {
            "family": family.number,
            "name": family.name,
            "strength": family.strength,
            "intents": len(family.intents),
            "planted": "" if m is None else m.planted,
            "share": None if m is None or not m.planted else m.share,
        }


def _draw(told: PlatformPaths, out: Path) -> None:
    for files, small in ((PICTURES, False), (SMALL, True)):
        strength = strength_png(told.reading, told.strength, told.domains, told.sources, small=small)
        (out / files["paths"]).write_bytes(flow_png(told.reading, small=small))
        (out / files["intents_by_domain"]).write_bytes(strength)


def _write(rows: list[dict[str, Any]], schema: pa.Schema, file: Path) -> None:
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), file, compression="zstd")


_NAMED = [("study", pa.string()), ("cell", pa.string()), ("seed", pa.int64())]
_RECORDS = pa.schema(
    [
        *_NAMED,
        ("what", pa.string()),
        ("evidence", pa.int64()),
        ("metric", pa.string()),
        ("things", pa.int64()),
        ("value", pa.float64()),
    ]
)
_FAMILIES = pa.schema(
    [
        *_NAMED,
        ("family", pa.int64()),
        ("name", pa.string()),
        ("strength", pa.float64()),
        ("intents", pa.int64()),
        ("planted", pa.string()),
        ("share", pa.float64()),
    ]
)
