"""Tables of users in a Postgres schema: whom they hold, and the end of those that no view shows."""

from __future__ import annotations

from contextlib import closing
from tempfile import SpooledTemporaryFile
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import sqlalchemy as sa

from hier_dag.publish.sinks import pg_tables
from hier_dag.publish.sinks.names import beside
from hier_dag.publish.sinks.params import PgVectorSink

_IN_MEMORY = 1 << 26  # bytes of ids beyond which they go through a temporary file
_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(:schema)) "
    "AND relkind = 'r' AND relname ~ '.+_users__v[0-9]+a?$' ORDER BY relname"
)
_SHOWN = (
    "SELECT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_rewrite'::regclass "
    "AND refclassid = 'pg_class'::regclass AND refobjid = to_regclass(:table))"
)


def tables_of(connection: sa.Connection, params: PgVectorSink) -> list[str]:
    """Tables of users of any domain, alias and version, in name order."""
    return list(connection.scalars(sa.text(_TABLES), {"schema": params.schema_name}))


def ids_of(connection: sa.Connection, table: str, params: PgVectorSink) -> pa.ChunkedArray | None:
    """Ids in a table of users, string; None where it is gone by now."""
    full = pg_tables.qualified(params, table)
    if connection.scalar(sa.select(sa.func.to_regclass(full))) is None:
        return None
    connection.exec_driver_sql("SET LOCAL client_encoding = 'UTF8'")
    cursor: Any = connection.connection.cursor()
    with closing(cursor), SpooledTemporaryFile(_IN_MEMORY) as file:
        # Quoted, so that an id may hold line ends and separators, and none is taken for null.
        cursor.copy_expert(f"COPY (SELECT id FROM {full}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)", file)
        if not file.tell():
            return pa.chunked_array([], pa.string())
        file.seek(0)
        read = pc.read_csv(
            file,
            read_options=pc.ReadOptions(column_names=["id"]),
            parse_options=pc.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pc.ConvertOptions(column_types={"id": pa.string()}, strings_can_be_null=False),
        )
    ids: pa.ChunkedArray = read["id"]
    return ids


def drop_unshown(connection: sa.Connection, table: str, params: PgVectorSink) -> None:
    """Drops a table of users that no view shows, with its items."""
    full = pg_tables.qualified(params, table)
    if connection.scalar(sa.text(_SHOWN), {"table": full}):
        return
    for name in (table, beside(table)):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {pg_tables.qualified(params, name)}")
