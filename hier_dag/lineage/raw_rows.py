"""Rows of raw files that carry an id: the file, its digest, the numbers of the rows, and what was lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hier_dag.lineage.id_rows import numbers, rows_with, strings
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
_LOST = ("rows_in", "rows_out", "quarantined", "deduplicated", "erased", "corrected")


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
    wanted = strings(ids)
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
    places = [p for file in artifact.files(prefix) for p in _carrying(file, columns, wanted)]
    if not places:
        return
    # A row that names the id twice, such as a friend of oneself, is one row.
    ids, files, rows = np.unique(np.concatenate(places), axis=0).T
    ledger = artifact.json("ledger.json")["files"]
    # Sorted by id, file and row, so that each id's rows of a file lie together.
    begins = np.flatnonzero(np.r_[True, (ids[1:] != ids[:-1]) | (files[1:] != files[:-1])])
    ends = np.r_[begins[1:], len(ids)]
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        file = ledger[files[begin]]
        yield (
            wanted[ids[begin]].as_py(),
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


def _carrying(file: Path, columns: tuple[str, ...], wanted: pa.StringArray) -> Iterator[NDArray[np.int64]]:
    """Place of the id among those wanted, number of the raw file and of its row: int64 [n, 3], n > 0."""
    for column in columns:
        found = rows_with(file, column, wanted, [column, "file", "row"])
        if found.num_rows:
            place = pc.index_in(found[column], value_set=wanted)
            yield np.stack([numbers(c) for c in (place, found["file"], found["row"])], axis=1)
