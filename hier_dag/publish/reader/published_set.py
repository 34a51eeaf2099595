"""A published set that is held: it answers from one version for as long as it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from hier_dag.errors import SpaceError, StoreError, UsageError
from hier_dag.publish.reader.contents import Contents
from hier_dag.publish.reader.layout import ITEMS, SET, USERS
from hier_dag.publish.reader.many import recommend_many
from hier_dag.publish.reader.records import VersionRecord
from hier_dag.publish.reader.row_groups import FloatArray
from hier_dag.publish.reader.set_files import SetFiles
from hier_dag.publish.reader.spaces import check_space
from hier_dag.publish.reader.top import Excluded

Missing = Literal["error", "nan"]


@dataclass(frozen=True)
class Recommendation:
    """One recommended item."""

    item_id: str
    name: str
    score: float
    origin: str


class PublishedSet:
    """One immutable published set, opened by `open_set`; every byte is checked before it is first used.

    Any number of threads may read it. score(user, item) = user_vector · item_vector.

    Attributes:
        record: the version record that it was opened by.
        files: its files.
        domain: target domain.
        version: version of the alias.
        digest: digest of the set.
        name: domain, alias and version, for messages.
        facts: all of set.json.
        space: id of the vector space, 16 hex digits; None for a set that does not tell it (format 1).
        dim: length of the vectors.
    """

    def __init__(
        self, record: VersionRecord, files: SetFiles, newer: Callable[[], PublishedSet | None] | None = None
    ) -> None:
        self.record, self.files = record, files
        self.domain, self.version, self.digest = record.domain, record.version, record.digest
        self.name = f"{record.domain} ({record.alias} {record.version})"
        self._contents: Contents | None = Contents(files, record.domain)
        self._newer = newer
        self.facts: dict[str, Any] = self._contents.facts.raw
        self.space: str | None = self._contents.facts.space
        self.dim: int = self._contents.items.dim
        if record.space not in (None, self.space):
            raise StoreError(
                f"the record says space {record.space}, the set {self.space}",
                domain=self.domain,
                file=files.told(SET),
            )

    def user_vector(self, user_id: str) -> FloatArray:
        """A user's vector, float32 [dim].

        Raises:
            UsageError: for a user that the set does not hold.
        """
        return np.asarray(self.user_vectors([user_id])[0])

    def item_vector(self, item_id: str) -> FloatArray:
        """An item's vector, float32 [dim].

        Raises:
            UsageError: for an item that the set does not hold.
        """
        return np.asarray(self.item_vectors([item_id])[0])

    def user_vectors(self, user_ids: Sequence[str], *, missing: Missing = "error") -> FloatArray:
        """Vectors of many users; each row group of their file is read at most once.

        Args:
            user_ids: original ids; they may repeat.
            missing: "error", or "nan" for rows of NaN where the set does not hold a user.

        Returns:
            float32 [ids, dim], in the order asked for.

        Raises:
            UsageError: for users that the set does not hold, unless `missing` is "nan".
        """
        vectors, unknown = self._held().users.vectors(_texts(user_ids))
        if len(unknown) and missing == "error":
            raise self._unknown("user", [user_ids[int(i)] for i in unknown])
        return vectors

    def item_vectors(self, item_ids: Sequence[str], *, missing: Missing = "error") -> FloatArray:
        """Vectors of many items; arguments, result and errors as `user_vectors`."""
        items = self._held().items
        rows = items.numbers(_texts(item_ids))
        unknown = np.flatnonzero(rows < 0)
        if len(unknown) and missing == "error":
            raise self._unknown("item", [item_ids[int(i)] for i in unknown])
        vectors = np.full((len(rows), self.dim), np.nan, dtype=np.float32)
        vectors[rows >= 0] = items.vectors(rows[rows >= 0])
        return vectors

    def user_origin(self, user_id: str) -> str:
        """How the user's vector came to be: trained, kg_inferred or fallback; errors as `user_vector`."""
        origin = self._held().users.origin(_texts([user_id]))
        if origin is None:
            raise self._unknown("user", [user_id])
        return origin

    def some_users(self, n: int, origin: str | None = None) -> list[str]:
        """The first n user ids, of one origin or of any."""
        return self._held().users.some(n, origin)

    def users(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All users in byte order of their ids, a row group at a time.

        Args:
            columns: some of user_id, vector, origin, norm; None for all.

        Raises:
            StoreError: when the file is damaged, or has no such column.
        """
        return self._batches(USERS, columns)

    def items(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The catalogue in byte order of its ids, a row group at a time.

        Args:
            columns: some of item_id, name, vector, origin, norm; None for all.

        Raises:
            StoreError: when the file is damaged, or has no such column.
        """
        return self._batches(ITEMS, columns)

    def file(self, name: str) -> Path:
        """A file of the set, checked, for another program to read (such as `items.float16.parquet`).

        Raises:
            StoreError: when the set has no such file, or it is damaged.
        """
        return self.files.path(name)

    def recommend(
        self, user_id: str, k: int = 10, *, exclude: Iterable[str] = (), include_seen: bool = False
    ) -> list[Recommendation]:
        """The best items for a user, best first.

        Args:
            user_id: original id.
            k: how many; fewer come back only where fewer are left.
            exclude: ids of items that must not be among them.
            include_seen: also recommend what the user has acted on already.

        Raises:
            UsageError: for a user that the set does not hold.
        """
        contents = self._held()
        vector = self.user_vector(user_id)
        hidden = [_texts(list(exclude))]
        if not include_seen:
            hidden.append(contents.seen.pairs(_texts([user_id]))[1])
        return self._best(vector, k, pa.concat_arrays(hidden))

    def recommend_vector(
        self, vector: FloatArray, k: int = 10, *, exclude: Iterable[str] = (), space: str | None = None
    ) -> list[Recommendation]:
        """The best items for a vector that was made elsewhere, best first.

        Args:
            vector: [dim].
            k: how many.
            exclude: ids of items that must not be among them.
            space: id of the space that the vector is of; always give it, so that spaces are never mixed.

        Raises:
            SpaceError: when the vector is of another space or length.
            UsageError: when it is not finite.
        """
        check_space(self, dim=None, space=space)
        given = np.asarray(vector, dtype=np.float32)
        if given.shape != (self.dim,):
            raise SpaceError(f"{self.name} has vectors of length {self.dim}; the one given is {given.shape}.")
        if not np.isfinite(given).all():
            raise UsageError("the vector given is not finite.", domain=self.domain)
        return self._best(given, k, _texts(list(exclude)))

    def recommend_many(
        self, user_ids: Sequence[str], k: int = 10, *, include_seen: bool = False, exact: bool = False
    ) -> pa.Table:
        """The best items for many users.

        Args:
            user_ids: original ids; each is answered as often as it is asked for.
            k: how many for each.
            include_seen: also recommend what a user has acted on already.
            exact: score every item, block by block, instead of searching the index.

        Returns:
            A table of user_id (string), rank (int32, from 1), item_id (string), score (float32), in the order
            of `user_ids`, then by rank.

        Raises:
            UsageError: for users that the set does not hold.
        """
        _check_k(k)
        vectors = self.user_vectors(user_ids)
        return recommend_many(self._held(), _texts(user_ids), vectors, k, include_seen, exact)

    def refresh(self) -> PublishedSet:
        """The set that the alias points to now; this one, which never changes, where it has not moved.

        A set opened by its version stays. The new set must have the `dim` and `space` that this one was
        opened with; where none was given, compare `space` before mixing vectors of both.

        Raises:
            StoreError: when the new set is damaged; this one goes on answering.
            SpaceError: when the new set has another dimension or space than was asked for.
        """
        self._held()
        newer = self._newer() if self._newer is not None else None
        return self if newer is None else newer

    def close(self) -> None:
        """Lets go of the files; calls that are under way in other threads end as they would have."""
        self._contents = None

    def __enter__(self) -> PublishedSet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<PublishedSet {self.name}, digest {self.digest[:12]}>"

    def _held(self) -> Contents:
        contents = self._contents
        if contents is None:
            raise UsageError(f"{self.name} was closed.", domain=self.domain, fix="open it again")
        return contents

    def _best(self, vector: FloatArray, k: int, hidden: pa.Array) -> list[Recommendation]:
        _check_k(k)
        contents = self._held()
        rows = contents.items.numbers(hidden)
        excluded = Excluded.of(np.zeros(len(rows), np.int64), rows, 1, contents.items.rows)
        scores, best = contents.search.best(vector[None, :], k, excluded)
        found = best[0] >= 0
        labels = contents.items.labels(best[0][found])
        return [
            Recommendation(item, name, float(score), origin)
            for item, name, origin, score in zip(*labels, scores[0][found], strict=True)
        ]

    def _batches(self, name: str, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
        groups = self._held().row_groups(name, columns)
        return (batch for number in range(len(groups)) for batch in groups[number].to_batches())

    def _unknown(self, role: str, ids: Sequence[str]) -> UsageError:
        contents = self._held()
        if role == "user":
            total, some_known = contents.users.rows, contents.users.some(3, None)
        else:
            total, some_known = contents.items.rows, contents.items.ids[:3].to_pylist()
        some = ", ".join(repr(i) for i in ids[:3]) + (f" and {len(ids) - 3:,} more" if len(ids) > 3 else "")
        known = ", ".join(some_known)
        are = f"{role} {some} is" if len(ids) == 1 else f"{role}s {some} are"
        return UsageError(
            f"{are} not in the published set (version {self.version}, {total:,} {role}s).",
            domain=self.domain,
            fix=f"check the id's spelling, letter case and leading zeros; known ids look like {known}",
            detail={"unknown": len(ids)},
        )


def _texts(ids: Sequence[str]) -> pa.Array:
    try:
        return pa.array(ids, pa.large_string())
    except (pa.ArrowException, TypeError, UnicodeEncodeError) as e:
        raise UsageError(f"ids are texts: {e}", fix="give ids as they were published") from None


def _check_k(k: int) -> None:
    if k < 1:
        raise UsageError(f"k is {k}.", fix="ask for at least one item")
