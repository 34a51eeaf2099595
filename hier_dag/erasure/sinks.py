"""Databases that serve published sets: no table of ours in them keeps a row of an erased user.

What is in force there is made anew by a delivery. Here go tables of earlier versions, which LanceDB keeps for
its readers, and whatever else no consumer is shown; then all that is left is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
from ibis.backends.duckdb import Backend

from hier_dag.erasure.erased import Erased
from hier_dag.erasure.recognise import found
from hier_dag.errors import HierError
from hier_dag.pipeline.policy import Policy
from hier_dag.publish.sinks.base import UsersTable
from hier_dag.publish.sinks.beyond import place_of
from hier_dag.publish.sinks.make import make_sink
from hier_dag.publish.sinks.params import LanceSink, PgVectorSink

_IDS = "ids_in_a_sink"
_AGAIN = (
    "run hier forget --finish; where that does not help, remove the row of its domain and alias from the "
    "table of sets there, and run it again"
)


@dataclass(frozen=True)
class AtSink:
    """What a sink holds of erased users.

    Attributes:
        sink: its type, such as pgvector.
        place: its address, without password.
        tables: how many tables of users were looked at.
        holding: erased users by table, where there are any.
        unread: tables that cannot be read.
        error: why the sink could not be looked at; empty where it could.
    """

    sink: str
    place: str
    tables: int = 0
    holding: dict[str, int] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    error: str = ""

    @property
    def problems(self) -> list[str]:
        """What is wrong there, in words."""
        where = f"{self.sink} {self.place}"
        return [
            *([f"{where} could not be looked at: {self.error}"] if self.error else []),
            *(f"{where}: {table} holds {n} erased user(s): {_AGAIN}" for table, n in self.holding.items()),
            *(f"{where}: {table} cannot be read: {_AGAIN}" for table in self.unread),
        ]

    def as_json(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return asdict(self)


def look_at_sinks(con: Backend, policy: Policy, erased: Erased) -> list[AtSink]:
    """What each declared sink holds of erased users, in tables of any version.

    Args:
        con: the engine.
        policy: the sinks.
        erased: who was erased.
    """
    return [_looked(con, params, erased, clear=False) for params in policy.sinks]


def clean_sinks(con: Backend, policy: Policy, erased: Erased) -> list[str]:
    """Removes what no consumer is shown of tables that hold erased users, in every declared sink.

    Args:
        con: the engine.
        policy: the sinks.
        erased: who was erased.

    Returns:
        Which sinks could not be reached, and what still holds somebody, in words.
    """
    return [p for params in policy.sinks for p in _looked(con, params, erased, clear=True).problems]


def _looked(con: Backend, params: PgVectorSink | LanceSink, erased: Erased, *, clear: bool) -> AtSink:
    place = place_of(params)
    try:
        sink = make_sink(params)
        seen = _seen(con, sink.users_tables(), erased)
        touched = [name for name, n in seen.items() if n != 0]
        if clear and touched:
            for name in touched:
                sink.clear(name)
            seen = _seen(con, sink.users_tables(), erased)
    except HierError as error:
        return AtSink(params.type, place, error=error.message)
    return AtSink(
        params.type,
        place,
        tables=len(seen),
        holding={name: n for name, n in seen.items() if n},
        unread=tuple(name for name, n in seen.items() if n is None),
    )


def _seen(con: Backend, tables: Iterable[UsersTable], erased: Erased) -> dict[str, int | None]:
    """How many erased users each table holds; None for one that cannot be read."""
    return {table.name: _count(con, table, erased) for table in tables}


def _count(con: Backend, table: UsersTable, erased: Erased) -> int | None:
    if table.users is None:
        return None
    ids = con.create_table(_IDS, pa.table({"id": table.users}), temp=True, overwrite=True)
    return len(found(con, [ids["id"]], erased))
