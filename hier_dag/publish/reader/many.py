"""Recommendations for many users at once, as one table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hier_dag.publish.reader.contents import Contents
from hier_dag.publish.reader.row_groups import FloatArray
from hier_dag.publish.reader.top import Excluded

_USERS = 4096
"""Users searched for at once, which bounds the memory that a search takes."""
SCHEMA = pa.schema(
    [("user_id", pa.string()), ("rank", pa.int32()), ("item_id", pa.string()), ("score", pa.float32())]
)


def recommend_many(
    contents: Contents, users: pa.Array, vectors: FloatArray, k: int, include_seen: bool, exact: bool
) -> pa.Table:
    """The best items of each user; see `PublishedSet.recommend_many`.

    Args:
        contents: the opened set.
        users: ids, large_string [n].
        vectors: their vectors, float32 [n, dim].
        k: how many for each.
        include_seen: also what a user has acted on already.
        exact: score every item.
    """
    step = len(users) if exact else _USERS
    parts = [
        _part(contents, users[i : i + step], vectors[i : i + step], k, include_seen, exact)
        for i in range(0, len(users), max(1, step))
    ]
    return pa.concat_tables([SCHEMA.empty_table(), *parts])


def _part(
    contents: Contents, users: pa.Array, vectors: FloatArray, k: int, include_seen: bool, exact: bool
) -> pa.Table:
    excluded = _none(contents, users) if include_seen else _seen(contents, users)
    scores, rows = contents.search.best(vectors, k, excluded, exact=exact)
    query, rank = np.nonzero(rows >= 0)
    columns = [
        users.take(pa.array(query)),
        pa.array((rank + 1).astype(np.int32)),
        contents.items.ids.take(pa.array(rows[query, rank])),
        pa.array(scores[query, rank]),
    ]
    return pa.table([pc.cast(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def _none(contents: Contents, users: pa.Array) -> Excluded:
    none = np.empty(0, np.int64)
    return Excluded.of(none, none, len(users), contents.items.rows)


def _seen(contents: Contents, users: pa.Array) -> Excluded:
    """What each user has acted on; a user that is asked for twice has the same pairs twice."""
    unique = users.unique()
    person, item = contents.seen.pairs(unique)
    rows = contents.items.numbers(item)
    asked = pc.index_in(users, value_set=unique).to_numpy().astype(np.int64)
    # Pairs come by person; each query takes the stretch of its own.
    order = np.argsort(person, kind="stable")
    starts = np.searchsorted(person[order], np.arange(len(unique) + 1))
    sizes = np.diff(starts)[asked]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    pairs = order[np.repeat(starts[asked], sizes) + within]
    return Excluded.of(np.repeat(np.arange(len(users)), sizes), rows[pairs], len(users), contents.items.rows)
