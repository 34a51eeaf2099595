"""The steps of a delivery inside Postgres: load a table, index it, and swap what the views show."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from hier_dag.publish.sinks.copy_rows import CopyStream
from hier_dag.publish.sinks.params import PgVectorSink
from hier_dag.publish.sinks.set_files import SIDES, SetFiles, Side

LONGEST_STEM = 40
"""Characters: with `_users`, `__v`, 12 digits and one letter a table's name stays within Postgres' 63."""
INDEX_DIM = 2000
"""Dimensions up to which pgvector indexes a `vector` column."""
LARGEST_DIM = 16_000
"""Dimensions that a `vector` column may have."""
_COPY_READ = 1 << 18  # bytes a read
_LOCK_TRY = "500ms"  # below deadlock_timeout (1 s): the swap gives way, never a reader
_PAUSE = 0.2  # seconds between tries, in which readers that queued behind one go on


def load(
    connection: sa.Connection, table: str, files: SetFiles, side: Side, params: PgVectorSink, ext: str
) -> int:
    """Makes and fills a table of vectors and its primary key; returns its rows.

    Args:
        connection: in the delivery's transaction.
        table: name, without schema.
        files: the set.
        side: users or items.
        params: schema.
        ext: schema of pgvector, quoted.
    """
    run, full = connection.exec_driver_sql, qualified(params, table)
    name = "name text, " if side == "items" else ""
    # "C": ids are compared byte for byte, which is also the order in which they arrive.
    run(
        f'CREATE TABLE {full} (id text COLLATE "C" NOT NULL, {name}'
        f"vector {ext}.vector({files.dim}) NOT NULL, origin text NOT NULL, norm real NOT NULL)"
    )
    cursor: Any = connection.connection.cursor()
    with closing(cursor):
        # FREEZE: the rows need no later rewrite, and show in transactions that began before the swap too.
        stream = CopyStream(files.batches(side))
        cursor.copy_expert(f"COPY {full} FROM STDIN (FORMAT binary, FREEZE)", stream, size=_COPY_READ)
        rows = int(cursor.rowcount)
    run(f"ALTER TABLE {full} ADD PRIMARY KEY (id)")
    return rows


def index(connection: sa.Connection, table: str, rows: int, dim: int, params: PgVectorSink, ext: str) -> str:
    """Builds the HNSW index of the items where it pays.

    Returns:
        Why there is none, in words; "" where there is one.
    """
    if rows < params.index_from:
        return f"{rows:,} items are scanned exactly (index_from {params.index_from:,})"
    if dim > INDEX_DIM:
        return f"scanned exactly: {dim:,} dimensions, pgvector indexes up to {INDEX_DIM:,}"
    connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{params.build_memory_mb}MB'")
    connection.exec_driver_sql(
        f"CREATE INDEX ON {qualified(params, table)} USING hnsw (vector {ext}.vector_ip_ops) "
        f"WITH (m = {params.m}, ef_construction = {params.ef_construction})"
    )
    return ""


def swap(
    connection: sa.Connection, stem: str, tables: dict[Side, str], params: PgVectorSink, ext: str
) -> None:
    """Points both views at new tables and drops what they pointed at, in the running transaction.

    A view keeps its grants and whatever consumers have built on it, which a table that is replaced does not.
    """
    views = {side: qualified(params, f"{stem}_{side}") for side in SIDES}
    there = [v for v in views.values() if connection.scalar(sa.select(sa.func.to_regclass(v))) is not None]
    if there:
        _lock_out_readers(connection, there, params.lock_seconds)
    for side in SIDES:
        columns = "id, name, " if side == "items" else "id, "
        # The cast drops the dimension from the view's type, so that a set of another one fits as well.
        connection.exec_driver_sql(
            f"CREATE OR REPLACE VIEW {views[side]} AS SELECT {columns}vector::{ext}.vector AS vector, "
            f"origin, norm FROM {qualified(params, tables[side])}"
        )
    for old in versions(connection, stem, params):
        if old not in tables.values():
            connection.exec_driver_sql(f"DROP TABLE {qualified(params, old)}")


def versions(connection: sa.Connection, stem: str, params: PgVectorSink) -> list[str]:
    """Tables of any version of one domain and alias."""
    query = sa.text(
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(:schema)) "
        "AND relkind = 'r' AND relname ~ :pattern ORDER BY relname"
    )
    pattern = f"^{stem}_(users|items)__v[0-9]+a?$"
    return list(connection.scalars(query, {"schema": params.schema_name, "pattern": pattern}))


def free_name(stem: str, side: Side, version: int, taken: Iterable[str]) -> str:
    """The name of a version's table; another where the row of a set in force was removed by hand."""
    name = f"{stem}_{side}__v{version}"
    return name if name not in taken else f"{name}a"


def qualified(params: PgVectorSink, name: str) -> str:
    """Quoted schema and name."""
    return f'"{params.schema_name}"."{name}"'


def _lock_out_readers(connection: sa.Connection, views: list[str], patience: float) -> None:
    """Locks the views and the tables below them, in short tries: no reader queues behind one for long.

    Raises:
        OperationalError: when readers hold them beyond the patience.
    """
    deadline = time.monotonic() + patience
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TRY}'")
    while True:
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f"LOCK TABLE {', '.join(views)} IN ACCESS EXCLUSIVE MODE")
            return
        except OperationalError as e:
            if getattr(e.orig, "pgcode", None) != "55P03" or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
