"""Reads a published set and recommends from it alone: no log, graph, model or registry is needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hier_dag.errors import UsageError
from hier_dag.graph.csr import FloatArray
from hier_dag.graph.reading import reading
from hier_dag.publish.files import ITEMS, SEEN, SET, USERS
from hier_dag.publish.live import Live, read_live
from hier_dag.store import Artifact
from hier_dag.store.local import open_folder


@dataclass(frozen=True)
class Recommendation:
    """One recommended item."""

    item_id: str
    name: str
    score: float
    origin: str


class PublishedSet:
    """One immutable published set, every file checked against its digest when opened."""

    def __init__(self, live: Live, artifact: Artifact) -> None:
        self.live = live
        self.artifact = artifact
        self.facts: dict[str, Any] = artifact.json(SET)
        self._users, _ = _vectors(artifact.file(USERS), "user_id")
        self._items, self._item_vectors = _vectors(artifact.file(ITEMS), "item_id")

    @classmethod
    def open(cls, store: Path, live_folder: Path, domain: str) -> PublishedSet:
        """Opens the live set of a domain.

        Args:
            store: root of the artifact store.
            live_folder: folder of the alias files.
            domain: the target domain.

        Raises:
            UsageError: when the domain has no published set.
            StoreError: when a byte of it differs from its digest, or a file is not what its name says.
        """
        live = read_live(live_folder, domain)
        folder = store / "artifacts" / "publish" / "embeddings" / live.digest
        return cls(live, open_folder(folder, live.digest, verified=set()))

    def user_vector(self, user_id: str) -> FloatArray:
        """A user's vector, float32 [dim].

        Raises:
            UsageError: for a user that the set does not hold.
        """
        return np.asarray(self._users["vector"][self._row(user_id)].as_py(), dtype=np.float32)

    def user_origin(self, user_id: str) -> str:
        """How the user's vector came to be: trained, kg_inferred or fallback."""
        return str(self._users["origin"][self._row(user_id)].as_py())

    def _row(self, user_id: str) -> int:
        row = int(pc.index(self._users["user_id"], user_id).as_py())
        if row < 0:
            raise UsageError(
                f"user {user_id!r} is not in the published set (version {self.live.version}, "
                f"{self._users.num_rows:,} users).",
                domain=self.live.domain,
                fix="check the id's spelling, letter case and leading zeros; "
                f"known ids look like {', '.join(self.some_users(3))}",
            )
        return row

    def some_users(self, n: int, origin: str | None = None) -> list[str]:
        """The first n user ids, of one origin or of any."""
        users = self._users if origin is None else self._users.filter(pc.field("origin") == origin)
        return [str(u) for u in users["user_id"].slice(0, n).to_pylist()]

    def recommend(self, user_id: str, k: int = 10, *, include_seen: bool = False) -> list[Recommendation]:
        """The k best items for a user, by inner product.

        Args:
            user_id: original id.
            k: how many.
            include_seen: also recommend what the user has acted on already.

        Raises:
            UsageError: for a user that the set does not hold.
        """
        scores = self._item_vectors @ self.user_vector(user_id)
        if not include_seen:
            scores[self._seen_rows(user_id)] = -np.inf
        k = min(k, int(np.isfinite(scores).sum()))
        best = np.argpartition(-scores, k - 1)[:k] if k else np.empty(0, dtype=np.int64)
        best = best[np.argsort(-scores[best], kind="stable")]
        rows = self._items.select(["item_id", "name", "origin"]).take(pa.array(best)).to_pylist()
        return [
            Recommendation(r["item_id"], r["name"], float(s), r["origin"])
            for r, s in zip(rows, scores[best], strict=True)
        ]

    def _seen_rows(self, user_id: str) -> Any:
        file = self.artifact.file(SEEN)
        with reading(file):
            seen = pq.read_table(file, filters=[("user_id", "==", user_id)])
        return pc.is_in(self._items["item_id"], value_set=seen["item_id"].combine_chunks()).to_numpy()


def _vectors(file: Path, key: str) -> tuple[pa.Table, FloatArray]:
    """A table of vectors, and the vectors as float32 [rows, dim]."""
    with reading(file):
        table = pq.read_table(file)
        table.select([key, "origin"])
        if not pa.types.is_fixed_size_list(table["vector"].type):
            raise TypeError(f"vectors are {table['vector'].type}, not a fixed-size list")
        return table, _matrix(table)


def _matrix(table: pa.Table) -> FloatArray:
    vectors = table["vector"].combine_chunks()
    if isinstance(vectors, pa.ChunkedArray):
        vectors = pa.concat_arrays(vectors.chunks)
    flat = vectors.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, dtype=np.float32).reshape(len(table), vectors.type.list_size)
