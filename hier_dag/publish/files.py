"""Writes one domain's published set: users, items, what each user has already seen, and the items' index.

Vectors are read in blocks, once a file, so that they may be memory maps larger than memory; ids, norms and
the index are what is held whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.graph.knowledge_graph import Interactions
from hier_dag.model.encoding import ORIGINS
from hier_dag.publish.index import BuiltIndex, build_index, tuned, write_index
from hier_dag.publish.index_recall import CUTOFFS, Truth, exact_best, latency, recall, sampled_users, truth_of
from hier_dag.publish.params import IndexParams
from hier_dag.publish.precision import ReducedRows, restored, write_reduced
from hier_dag.publish.rows import OrderedRows, Texts, in_byte_order, picked
from hier_dag.publish.tables import write_seen, write_vectors
from hier_dag.publish.writing import HashedFolder
from hier_dag.store.artifact import FileEntry
from hier_dag.transfer.vectors import DomainVectors

USERS, ITEMS, SEEN, INDEX, SET = "users.parquet", "items.parquet", "seen.parquet", "items.faiss", "set.json"
FORMAT = 2
_TUNED_ON = 256  # users that the search effort is tuned on; recall is measured on others


@dataclass
class WriteNotes:
    """What writing a set finds out that is no part of it.

    Attributes:
        entries: name, SHA-256 and size of each file as it was written: for `ArtifactStore.commit`.
        latency: p50_ms and p99_ms of single searches of the index for ten items.
    """

    entries: list[FileEntry] = field(default_factory=list)
    latency: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Side:
    """The users or the items of a set, in byte order of their ids."""

    file: str
    key: str
    ids: pa.LargeStringArray
    rows: OrderedRows
    origin: NDArray[np.int8]
    names: pa.LargeStringArray | None


def write_set(
    out: Path,
    vectors: DomainVectors,
    user_ids: Texts,
    item_ids: Texts,
    item_names: Texts,
    interactions: Interactions,
    about: dict[str, Any],
    params: IndexParams = IndexParams(),  # noqa: B008 (frozen)
    notes: WriteNotes | None = None,
) -> dict[str, Any]:
    """Writes a published set into a folder.

    Args:
        out: staged folder.
        vectors: the domain's vectors, which may be memory maps; score(u, i) = users[u] · items[i].
        user_ids: original id of every user number of the platform.
        item_ids: original id of every item number.
        item_names: display name of every item number.
        interactions: the domain's interactions, all splits: what has been seen is not recommended again.
        about: facts for set.json (domain, model digest, space, …).
        params: index and precisions.
        notes: filled with what is no part of the set.

    Returns:
        What set.json holds: format, dim, metric, row counts, origins, norms, index, precisions, and `about`.

    Raises:
        ContractError: when an id is null or occurs twice.
        StoreError: when a file cannot be written.
    """
    notes = notes if notes is not None else WriteNotes()
    folder = HashedFolder(out)
    users = _side(USERS, "user_id", user_ids, vectors.users, vectors.user_vectors, vectors.user_origin)
    items = _side(
        ITEMS, "item_id", item_ids, vectors.items, vectors.item_vectors, vectors.item_origin, item_names
    )
    norms = {"users": _write_side(folder, users), "items": _write_side(folder, items)}
    with folder.create(SEEN) as file:
        write_seen(file, interactions, user_ids, item_ids)
    tuning, truth = _truths(users, items, params.queries)
    index, notes.latency = _write_index(folder, items.rows, params, tuning, truth)
    facts = {
        "format": FORMAT,
        "dim": items.rows.shape[1],
        "metric": "inner_product",
        "normalisation": "none",
        "method": vectors.method,
        "users": users.rows.shape[0],
        "items": items.rows.shape[0],
        "user_origins": _origins(vectors.user_origin),
        "item_origins": _origins(vectors.item_origin),
        "norms": norms,
        "index": index,
        "precisions": _write_precisions(folder, users, items, params, truth),
        **about,
    }
    with folder.create(SET) as file:
        file.write(json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode())
    notes.entries = folder.entries
    return facts


def _side(
    file: str,
    key: str,
    all_ids: Texts,
    numbers: IntArray,
    vectors: FloatArray,
    origin: NDArray[np.int8],
    names: Texts | None = None,
) -> _Side:
    ids, order = in_byte_order(picked(all_ids, numbers))
    name = None if names is None else picked(names, numbers)
    if order is not None:
        origin = origin[order]
        name = None if name is None else name.take(pa.array(order))
    return _Side(file, key, ids, OrderedRows(vectors, order), np.asarray(origin, np.int8), name)


def _write_side(folder: HashedFolder, side: _Side) -> dict[str, float | None]:
    with folder.create(side.file) as file:
        norms = write_vectors(file, side.key, side.ids, side.rows, side.origin, side.names)
    if not len(norms):
        return {"min": None, "median": None, "max": None}
    return {"min": float(norms.min()), "median": float(np.median(norms)), "max": float(norms.max())}


def _truths(users: _Side, items: _Side, queries: int) -> tuple[Truth, Truth]:
    """The best items of users to tune on, and of others to measure with; the same where there are few."""
    rows = sampled_users(users.ids, queries + _TUNED_ON)
    measured = truth_of(users.rows.take(rows[:queries]), items.rows)
    if len(rows) <= queries:
        return measured, measured
    return truth_of(users.rows.take(rows[queries:]), items.rows), measured


def _write_index(
    folder: HashedFolder, items: OrderedRows, params: IndexParams, tuning: Truth, truth: Truth
) -> tuple[dict[str, Any], dict[str, float]]:
    """Facts of the index for set.json, and its latency."""
    wanted = max(1, min(items.shape[0], max(CUTOFFS)))

    def enough(built: BuiltIndex) -> bool:
        found = recall(tuning, built.search(tuning.queries, wanted), items)
        return found["recall@10"] >= params.recall_target and found["recall@50"] >= params.recall_target_50

    built = tuned(build_index(items, params), enough)
    with folder.create(INDEX) as file:
        write_index(built, file)
    facts = {
        "kind": built.kind,
        "parameters": built.parameters,
        **recall(truth, built.search(truth.queries, wanted), items),
        "queries": len(truth.queries),
    }
    return facts, latency(built.index, truth.queries)


def _write_precisions(
    folder: HashedFolder, users: _Side, items: _Side, params: IndexParams, truth: Truth
) -> dict[str, dict[str, float]]:
    """Recall of ranking by the smaller vectors alone, by precision."""
    facts: dict[str, dict[str, float]] = {}
    for precision in params.precisions:
        for side in (users, items):
            with folder.create(side.file.replace(".parquet", f".{precision}.parquet")) as file:
                write_reduced(file, side.key, side.ids, side.rows, precision)
        queries = restored(truth.queries, precision)
        found = exact_best(queries, ReducedRows(items.rows, precision), max(CUTOFFS))
        facts[precision] = recall(truth, found, items.rows)
    return facts


def _origins(origin: NDArray[np.int8]) -> dict[str, int]:
    counts = np.bincount(origin, minlength=len(ORIGINS))
    return {name: int(n) for name, n in zip(ORIGINS, counts, strict=True)}
