"""The table `sets` of a LanceDB database: a row for each delivery, never changed; the highest version counts.

An append is atomic and conflicts with no other, so that of two deliveries, whoever comes last, the later
version is in force: there is nothing to compare and swap, and no way back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hier_dag.publish.sinks.base import Versioned
from hier_dag.publish.sinks.set_files import SetFiles, Side

SETS = "sets"
_SCHEMA = pa.schema(
    {
        "domain": pa.string(),
        "alias": pa.string(),
        "version": pa.int64(),
        "digest": pa.string(),
        "dim": pa.int32(),
        "space": pa.string(),
        "metric": pa.string(),
        "loaded_at": pa.timestamp("us", tz="UTC"),
        "users_table": pa.string(),
        "items_table": pa.string(),
        "user_rows": pa.int64(),
        "item_rows": pa.int64(),
    }
)
_FRAGMENTS = 64
"""Appends after which they are put together: 300 of them read in 47 ms, one in 8 ms."""


def append(database: Any, files: SetFiles, record: Versioned, tables: dict[Side, str]) -> None:
    """Puts a set in force, unless a later version is."""
    row = {
        "domain": record.domain,
        "alias": record.alias,
        "version": record.version,
        "digest": record.digest,
        "dim": files.dim,
        "space": files.space,
        "metric": files.metric,
        "loaded_at": datetime.now(UTC),
        "users_table": tables["users"],
        "items_table": tables["items"],
        "user_rows": files.rows["users"],
        "item_rows": files.rows["items"],
    }
    sets = database.create_table(SETS, schema=_SCHEMA, exist_ok=True)
    sets.add(pa.Table.from_pylist([row], schema=_SCHEMA))


def rows(database: Any, names: list[str], domain: str, alias: str) -> list[dict[str, Any]]:
    """Rows of a domain and alias, one a version, the latest first.

    Args:
        database: the LanceDB connection.
        names: tables that it has.
        domain: target domain.
        alias: such as live.
    """
    if SETS not in names:
        return []
    table = database.open_table(SETS).to_arrow()
    mine = table.filter((pc.field("domain") == domain) & (pc.field("alias") == alias))
    latest = mine.sort_by([("version", "descending"), ("loaded_at", "descending")]).to_pylist()
    return list({row["version"]: row for row in reversed(latest)}.values())[::-1]


def in_force(database: Any, names: list[str]) -> set[str]:
    """Names of the tables of users that are in force, of all domains and aliases."""
    if SETS not in names:
        return set()
    latest = database.open_table(SETS).to_arrow()
    latest = latest.sort_by([("version", "descending"), ("loaded_at", "descending")])
    # In one thread: `first` means the first in this order.
    first = latest.group_by(["domain", "alias"], use_threads=False).aggregate([("users_table", "first")])
    return set(first["users_table_first"].to_pylist())


def put_together(database: Any) -> None:
    """Keeps the table quick to read however many deliveries there were."""
    sets = database.open_table(SETS)
    if sets.stats()["fragment_stats"]["num_fragments"] > _FRAGMENTS:
        sets.optimize()
