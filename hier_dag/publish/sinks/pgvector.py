"""Postgres with pgvector: two views a domain and alias, ranked by `ORDER BY vector <#> query LIMIT k`.

A delivery is one transaction: make the tables of the version, load, index, swap the views, drop the old
tables, and write the row of `sets`. Killed anywhere, Postgres undoes it whole: nothing is ever left to clean
up. Readers are locked out for the swap alone, which moves names and no rows. Whoever has read one of a
domain's two views sees that version in both until its transaction ends.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from hier_dag.errors import SinkError
from hier_dag.publish.sinks import pg_home, pg_tables, pg_users
from hier_dag.publish.sinks.base import (
    Delivery,
    Outcome,
    UsersTable,
    Versioned,
    check_names,
    check_record,
    check_same,
)
from hier_dag.publish.sinks.contents import check_text
from hier_dag.publish.sinks.names import stem
from hier_dag.publish.sinks.params import PgVectorSink
from hier_dag.publish.sinks.pg_errors import place, telling
from hier_dag.publish.sinks.pg_recall import recall
from hier_dag.publish.sinks.set_files import SIDES, SetFiles, Side

_SESSION = (
    "SET LOCAL client_encoding = 'UTF8'",  # what Arrow's strings are, whatever the database's encoding
    # A role's limits are meant for its queries: an index may take minutes.
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)

# The server notices within seconds that a client was killed, not after the index that it builds for it, and
# within two minutes that a client's machine is gone: until then nobody else delivers for the domain.
_WHERE_THE_SERVER_CAN = (
    "SET LOCAL client_connection_check_interval = '2s'",
    "SET LOCAL tcp_keepalives_idle = 60",
    "SET LOCAL tcp_keepalives_interval = 10",
    "SET LOCAL tcp_keepalives_count = 6",
)


class PgVector:
    """A sink in one schema of a Postgres database.

    Args:
        params: where, and how the items are indexed.

    Raises:
        SinkError: when the driver is not installed.
    """

    def __init__(self, params: PgVectorSink) -> None:
        self.params = params
        self._url: URL = make_url(params.url.get_secret_value())
        self._sets = pg_home.sets_table(params.schema_name)
        try:
            self._engine = sa.create_engine(
                self._url, poolclass=sa.pool.NullPool, isolation_level="READ COMMITTED"
            )
        except ImportError:
            raise SinkError(
                "Postgres' driver is not installed: no module 'psycopg2'", fix="install hier_dag[pgvector]"
            ) from None

    def deliver(self, files: SetFiles, record: Versioned) -> Delivery:
        """Makes a set the one in force, unless a later version is there; see `Sink.deliver`."""
        began = time.monotonic()
        check_record(files, record)
        if files.dim > pg_tables.LARGEST_DIM:
            raise SinkError(
                f"vectors of {files.dim:,} dimensions: pgvector holds up to {pg_tables.LARGEST_DIM:,}",
                domain=record.domain,
                fix="use a sink of type lance, or a smaller stages.pretrain.dim",
            )
        check_text(files, record.domain)
        name = self._stem(record.domain, record.alias)
        with telling(self._url, record.domain, self._full(name)), self._engine.connect() as connection:
            pg_home.prepare(connection, self.params.schema_name)
            with connection.begin():
                facts = self._deliver(connection, name, files, record)
        there = facts.pop("there")
        return Delivery(
            sink="pgvector",
            place=place(self._url),
            version=there[0],
            digest=there[1],
            users=f"{self._full(name)}_users",
            items=f"{self._full(name)}_items",
            seconds=round(time.monotonic() - began, 3),
            **facts,
        )

    def current(self, domain: str, alias: str) -> tuple[int, str] | None:
        """Version and digest in force, None before the first delivery; see `Sink.current`."""
        check_names(domain, alias)
        table = f"{self.params.schema_name}.sets"
        with telling(self._url, domain, table), self._engine.connect() as connection:
            if not sa.inspect(connection).has_table("sets", schema=self.params.schema_name):
                return None
            return self._in_force(connection, domain, alias)

    def users_tables(self) -> Iterator[UsersTable]:
        """Every table of users, of any version; see `Sink.users_tables`."""
        with telling(self._url, None, self.params.schema_name), self._engine.connect() as connection:
            with connection.begin():
                names = pg_users.tables_of(connection, self.params)
            for name in names:
                with connection.begin():
                    ids = pg_users.ids_of(connection, name, self.params)
                if ids is not None:
                    yield UsersTable(name, ids)

    def clear(self, table: str) -> None:
        """Drops a table of users that no view shows; see `Sink.clear`."""
        with telling(self._url, None, self._full(table)), self._engine.begin() as connection:
            pg_users.drop_unshown(connection, table, self.params)

    def _deliver(
        self, connection: sa.Connection, name: str, files: SetFiles, record: Versioned
    ) -> dict[str, Any]:
        """Everything between BEGIN and COMMIT; what is in force afterwards, and how it came to be."""
        for statement in _SESSION:
            connection.exec_driver_sql(statement)
        for statement in _WHERE_THE_SERVER_CAN:
            with suppress(DBAPIError), connection.begin_nested():
                connection.exec_driver_sql(statement)
        pg_home.lock(connection, self.params.schema_name, record.domain, record.alias)
        there = self._in_force(connection, record.domain, record.alias)
        if there is not None:
            check_same(record, there, f"{place(self._url)}#{self._full(name)}")
            if there[0] > record.version or (there[0] == record.version and self._whole(connection, name)):
                outcome: Outcome = "superseded" if there[0] > record.version else "there"
                return {"there": there, "outcome": outcome}
        return {
            "there": (record.version, record.digest),
            "outcome": "delivered",
            **self._replace(connection, name, files, record),
        }

    def _replace(
        self, connection: sa.Connection, name: str, files: SetFiles, record: Versioned
    ) -> dict[str, Any]:
        ext = pg_home.extension_schema(connection, record.domain, place(self._url))
        taken = pg_tables.versions(connection, name, self.params)
        tables: dict[Side, str] = {
            side: pg_tables.free_name(name, side, record.version, taken) for side in SIDES
        }
        rows: dict[Side, int] = {
            side: pg_tables.load(connection, tables[side], files, side, self.params, ext) for side in SIDES
        }
        why_no_index = pg_tables.index(
            connection, tables["items"], rows["items"], files.dim, self.params, ext
        )
        facts: dict[str, Any] = {"rows": sum(rows.values()), "why_no_index": why_no_index or None}
        if not why_no_index:
            users, items = (pg_tables.qualified(self.params, tables[side]) for side in SIDES)
            facts |= {"index": "hnsw", "recall": recall(connection, users, items, ext)}
        pg_tables.swap(connection, name, tables, self.params, ext)
        self._write_row(connection, name, files, record, rows)
        return facts

    def _write_row(
        self,
        connection: sa.Connection,
        name: str,
        files: SetFiles,
        record: Versioned,
        rows: dict[Side, int],
    ) -> None:
        facts = {
            "version": record.version,
            "digest": record.digest,
            "dim": files.dim,
            "space": files.space,
            "metric": files.metric,
            "loaded_at": datetime.now(UTC),
            "user_rows": rows["users"],
            "item_rows": rows["items"],
            "users_view": f"{name}_users",
            "items_view": f"{name}_items",
        }
        row = postgresql.insert(self._sets).values(domain=record.domain, alias=record.alias, **facts)
        connection.execute(row.on_conflict_do_update(index_elements=["domain", "alias"], set_=facts))

    def _in_force(self, connection: sa.Connection, domain: str, alias: str) -> tuple[int, str] | None:
        query = sa.select(self._sets.c.version, self._sets.c.digest)
        row = connection.execute(
            query.where(self._sets.c.domain == domain, self._sets.c.alias == alias)
        ).one_or_none()
        return None if row is None else (int(row.version), str(row.digest))

    def _whole(self, connection: sa.Connection, name: str) -> bool:
        """Whether both views are there, and nobody has dropped what they show."""
        views = [pg_tables.qualified(self.params, f"{name}_{side}") for side in SIDES]
        return all(connection.scalar(sa.select(sa.func.to_regclass(v))) is not None for v in views)

    def _stem(self, domain: str, alias: str) -> str:
        return stem(domain, alias, pg_tables.LONGEST_STEM)

    def _full(self, name: str) -> str:
        return f"{self.params.schema_name}.{name}"
