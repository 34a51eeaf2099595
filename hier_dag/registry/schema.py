"""The tables of a registry: made where there are none, refused where they are another version's."""

from __future__ import annotations

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from hier_dag.errors import RegistryError
from hier_dag.registry.connection import one_at_a_time
from hier_dag.registry.guards import guard
from hier_dag.registry.tables import Base

HEAD = "0002"
"""Newest migration; a test compares it with `migrations/versions`."""
UNVERSIONED = "0001"
"""What a registry without a version has: those that were made before there were migrations."""
_VERSION = "alembic_version"


def version_of(s: Session) -> str | None:
    """Version of the tables that are there; None where there are none."""
    there = set(inspect(s.connection()).get_table_names())
    if _VERSION in there:
        found = s.execute(text(f"SELECT version_num FROM {_VERSION}")).scalar()
        return None if found is None else str(found)
    return UNVERSIONED if "artifacts" in there else None


def make_tables(s: Session) -> None:
    """Makes the tables of a new registry; another process may be doing so at this moment."""
    one_at_a_time(s, "tables")  # Postgres refuses one of two that make the same table
    if version_of(s) is not None:
        return
    connection = s.connection()
    Base.metadata.create_all(connection)
    guard(connection)
    s.execute(text(f"CREATE TABLE {_VERSION} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    s.execute(text(f"INSERT INTO {_VERSION} VALUES (:head)"), {"head": HEAD})


def check_version(found: str, where: str) -> None:
    """Refuses tables of another version.

    Args:
        found: their version.
        where: the database, without password.

    Raises:
        RegistryError: it is not this one's.
    """
    if found == HEAD:
        return
    if found < HEAD:
        raise RegistryError(
            f"the registry has version {found} of its tables; this hier_dag needs {HEAD}.",
            file=where,
            fix="run: hier registry upgrade (a SQLite file is copied first; back a server's database up)",
        )
    raise RegistryError(
        f"the registry was made by a newer hier_dag: its tables have version {found}, this one knows {HEAD}.",
        file=where,
        fix="use that version, or set HIER_REGISTRY to another database",
    )


def lacking(s: Session) -> list[str]:
    """Tables and columns that a registry of this version should have and has not: it was changed by hand."""
    there = inspect(s.connection())
    known = set(there.get_table_names())
    return [
        f"{name}.{column}" if name in known else name
        for name, table in sorted(Base.metadata.tables.items())
        for column in (sorted(_missing(there, name, set(table.columns.keys()))) if name in known else [""])
    ]


def _missing(there: object, name: str, wanted: set[str]) -> set[str]:
    return wanted - {c["name"] for c in there.get_columns(name)}  # type: ignore[attr-defined]
