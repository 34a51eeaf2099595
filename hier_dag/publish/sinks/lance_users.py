"""Tables of users in a LanceDB database: whom they hold, in earlier states of a table too, and their end.

A Lance table keeps its earlier states until they are cleaned up. Tables here are written once, but a delivery
that was killed may have left one that the next wrote anew under the same name.
"""

from __future__ import annotations

import re
import warnings
from datetime import timedelta
from typing import Any

import pyarrow as pa

from hier_dag.publish.sinks import lance_sets
from hier_dag.publish.sinks.base import UsersTable
from hier_dag.publish.sinks.names import beside

_TABLE = re.compile(r".+_users__v\d+")


def tables_of(names: list[str]) -> list[str]:
    """Those of some tables that hold users, in name order."""
    return sorted(name for name in names if _TABLE.fullmatch(name))


def look(database: Any, name: str) -> UsersTable:
    """Whom a table holds.

    Args:
        database: the LanceDB connection.
        name: of a table of users.
    """
    try:
        table = database.open_table(name)
        states = [_ids(table, state["version"]) for state in table.list_versions()]
    except (RuntimeError, ValueError):
        return UsersTable(name, None)  # gone by now, or what a killed delivery has left: no table yet
    return UsersTable(name, pa.chunked_array([c for ids in states for c in ids.chunks], pa.string()))


def clear(database: Any, names: list[str], name: str) -> None:
    """Drops a table that is not in force, with its items; of one that is, its earlier states alone.

    Args:
        database: the LanceDB connection.
        names: tables that it has.
        name: of a table of users.
    """
    if name in lance_sets.in_force(database, names):
        with warnings.catch_warnings():
            # It warns of readers of an earlier state: none may go on.
            warnings.simplefilter("ignore", UserWarning)
            database.open_table(name).optimize(cleanup_older_than=timedelta(0))
        return
    for table in (name, beside(name)):
        database.drop_table(table, ignore_missing=True)


def _ids(table: Any, version: int) -> pa.ChunkedArray:
    table.checkout(version)
    ids: pa.ChunkedArray = table.search().select(["id"]).to_arrow()["id"]
    return ids
