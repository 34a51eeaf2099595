"""What of a knowledge graph is published: ids, names, and one domain's users, items and pairs.

Read without the edges, and ids as Arrow's strings: those of ten million rows are .17 GB where Python's are
.7. A whole `KnowledgeGraph` has all the same names, so that either serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hier_dag.graph.csr import IntArray
from hier_dag.graph.files import AUDIENCE, CATALOGUE, ITEMS, USERS, load_interactions, splits_file
from hier_dag.graph.knowledge_graph import Interactions
from hier_dag.graph.reading import reading


@dataclass(frozen=True)
class Platform:
    """A knowledge graph as far as one domain's set is made of it.

    Attributes:
        user_ids: original id of every user number of the platform, large_string [users].
        item_ids: original id of every item number, large_string [items].
        item_names: display name of every item number, large_string [items].
        audience: of the domain alone, ascending user numbers that get a vector, int64.
        catalogue: of the domain alone, ascending item numbers that may be ranked, int64.
        interactions: of the domain alone, its pairs, all splits.
    """

    user_ids: pa.ChunkedArray
    item_ids: pa.ChunkedArray
    item_names: pa.ChunkedArray
    audience: dict[str, IntArray]
    catalogue: dict[str, IntArray]
    interactions: dict[str, Interactions]


def read_platform(folder: Path, domain: str) -> Platform:
    """Reads what a domain's set is made of from a knowledge graph artifact's folder.

    Args:
        folder: the artifact's folder, already verified.
        domain: the target.

    Raises:
        StoreError: when a file is missing or not what its name says.
    """
    platform = Platform(
        user_ids=_texts(folder / USERS, "user_id"),
        item_ids=_texts(folder / ITEMS, "item_id"),
        item_names=_texts(folder / ITEMS, "name"),
        audience={domain: _numbers(folder / AUDIENCE, domain, "user")},
        catalogue={domain: _numbers(folder / CATALOGUE, domain, "item")},
        interactions={domain: load_interactions(folder / splits_file(domain))},
    )
    # Arrow keeps what reading took; of ten million rows that is as much as the ids.
    pa.default_memory_pool().release_unused()
    return platform


def _texts(path: Path, column: str) -> pa.ChunkedArray:
    with reading(path):
        return pq.read_table(path, columns=[column])[column].cast(pa.large_string())


def _numbers(path: Path, domain: str, column: str) -> IntArray:
    with reading(path):
        rows = pq.read_table(path, columns=[column], filters=[("domain", "==", domain)])
        return np.sort(rows[column].to_numpy())
