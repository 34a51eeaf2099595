"""Rows of raw files that carry an id: the file, its digest, the numbers of the rows, and what was lost."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from hier_dag.graph.reading import reading
from hier_dag.pipeline.stages import EVENTS, LINKS
from hier_dag.store import ArtifactStore

ROWS_SHOWN = 20
"""Row numbers that are told of a file; all are counted."""
# Tables that carry ids, by the start of their file's name, and the columns to look in.
_TABLES: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    (EVENTS, "user"): {"events/": ("user_id",)},
    (EVENTS, "item"): {"events/": ("item_id",)},
    (LINKS, "user"): {"user_user.parquet": ("user_id", "other_id")},
    (LINKS, "item"): {
        "catalogue.parquet": ("item_id",),
        "item_entity.parquet": ("item_id",),
        "item_names.parquet": ("item_id",),
    },
}
_LOST = ("rows_in", "rows_out", "quarantined", "deduplicated", "corrected")


def rows_of(
    store: ArtifactStore, chain: Sequence[Mapping[str, Any]], role: str, ids: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Raw rows that carry each of some ids, in order of artifact, table and file.

    Args:
        store: where events and links lie.
        chain: of the published set (`chain_of`).
        role: `user` or `item`.
        ids: original ids, each once.

    Returns:
        By id: feeds (what the rows hold), domain, file, sha256, rows (count), row_numbers (the first ones),
        and `of_the_file`: how many rows the file has and what became of them.

    Raises:
        StoreError: an artifact is missing or damaged.
    """
    found: dict[str, list[dict[str, Any]]] = {one: [] for one in ids}
    wanted = pa.array(ids, pa.string())
    for entry in chain:
        for prefix, columns in _TABLES.get((entry["kind"], role), {}).items():
            for one, record in _of_table(store, entry, prefix, columns, wanted):
                found[one].append(record)
    return found


def _of_table(
    store: ArtifactStore,
    entry: Mapping[str, Any],
    prefix: str,
    columns: tuple[str, ...],
    wanted: pa.StringArray,
) -> Iterator[tuple[str, dict[str, Any]]]:
    artifact = store.open(entry["kind"], entry["digest"])
    files = artifact.files(prefix)
    if not files:
        return
    with reading(files[0].parent):
        ids, numbers, rows = _carrying(ds.dataset(files), columns, wanted)
    if not len(ids):
        return
    ledger = artifact.json("ledger.json")["files"]
    # Sorted by id, file and row, so that each id's rows of a file lie together.
    begins = np.flatnonzero(np.r_[True, (ids[1:] != ids[:-1]) | (numbers[1:] != numbers[:-1])])
    names, ends = wanted.take(pa.array(ids[begins])).to_pylist(), np.r_[begins[1:], len(ids)]
    for one, begin, end in zip(names, begins.tolist(), ends.tolist(), strict=True):
        file = ledger[numbers[begin]]
        yield (
            one,
            {
                "feeds": file.get("feeds", "events"),
                "domain": file.get("domain") or entry["partition"],
                "file": file["location"],
                "sha256": file["sha256"],
                "rows": end - begin,
                "row_numbers": rows[begin : min(end, begin + ROWS_SHOWN)].tolist(),
                "of_the_file": {key: file[key] for key in _LOST if key in file},
            },
        )


def _carrying(
    tables: ds.Dataset, columns: tuple[str, ...], wanted: pa.StringArray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place of the id among those wanted, number of the file and of the row, int64 [n] each, sorted."""
    keep = functools.reduce(operator.or_, (pc.field(c).isin(wanted) for c in columns))
    found = tables.to_table(columns=[*columns, "file", "row"], filter=keep)
    file, row = (found[c].to_numpy().astype(np.int64) for c in ("file", "row"))
    places = [pc.index_in(found[c], value_set=wanted) for c in columns]
    at = np.concatenate([pc.fill_null(p, -1).to_numpy() for p in places]).astype(np.int64)
    every = np.stack([at, np.tile(file, len(columns)), np.tile(row, len(columns))], axis=1)
    # A row that names the id twice, such as a friend of oneself, is one row.
    one = np.unique(every[at >= 0], axis=0)
    return one[:, 0], one[:, 1], one[:, 2]
