"""Writes one domain's published set: users, items and what each user has already seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray
from hier_dag.graph.knowledge_graph import Interactions
from hier_dag.model.encoding import ORIGINS
from hier_dag.transfer.vectors import DomainVectors

USERS, ITEMS, SEEN, SET = "users.parquet", "items.parquet", "seen.parquet", "set.json"


def write_set(
    out: Path,
    vectors: DomainVectors,
    user_ids: NDArray[np.object_],
    item_ids: NDArray[np.object_],
    item_names: NDArray[np.object_],
    interactions: Interactions,
    about: dict[str, Any],
) -> dict[str, Any]:
    """Writes a published set into a folder.

    Args:
        out: staged folder.
        vectors: the domain's vectors; score(u, i) = users[u] · items[i].
        user_ids: original id of every user number of the platform.
        item_ids: original id of every item number.
        item_names: display name of every item number.
        interactions: the domain's interactions, all splits: what has been seen is not recommended again.
        about: facts for set.json (domain, model digest, …).

    Returns:
        What set.json holds: dim, metric, row counts, origins, and `about`.
    """
    users = _table("user_id", user_ids[vectors.users], vectors.user_vectors, vectors.user_origin)
    items = _table("item_id", item_ids[vectors.items], vectors.item_vectors, vectors.item_origin)
    items = items.add_column(1, "name", pa.array(item_names[vectors.items], pa.string()))
    pq.write_table(users, out / USERS, compression="zstd")
    pq.write_table(items, out / ITEMS, compression="zstd")
    pq.write_table(_seen(interactions, user_ids, item_ids), out / SEEN, compression="zstd")
    facts = {
        "dim": int(vectors.item_vectors.shape[1]),
        "metric": "inner_product",
        "method": vectors.method,
        "users": users.num_rows,
        "items": items.num_rows,
        "user_origins": _origins(vectors.user_origin),
        "item_origins": _origins(vectors.item_origin),
        **about,
    }
    (out / SET).write_text(json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False))
    return facts


def _table(key: str, ids: NDArray[np.object_], vectors: FloatArray, origin: NDArray[np.int8]) -> pa.Table:
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
    columns = {
        key: pa.array(ids, pa.string()),
        "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
        "origin": pa.array(np.array(ORIGINS, dtype=object)[origin], pa.string()),
    }
    return pa.table(columns).sort_by(key)


def _seen(pairs: Interactions, user_ids: NDArray[np.object_], item_ids: NDArray[np.object_]) -> pa.Table:
    return pa.table(
        {
            "user_id": pa.array(user_ids[pairs.user], pa.string()),
            "item_id": pa.array(item_ids[pairs.item], pa.string()),
        }
    ).sort_by([("user_id", "ascending"), ("item_id", "ascending")])


def _origins(origin: NDArray[np.int8]) -> dict[str, int]:
    counts = np.bincount(origin, minlength=len(ORIGINS))
    return {name: int(n) for name, n in zip(ORIGINS, counts, strict=True)}
