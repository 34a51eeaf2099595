"""Brings a registry's tables to the newest version, by Alembic, in one transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from hier_dag.config.database_url import sqlite_database
from hier_dag.registry import schema
from hier_dag.registry.connection import make_engine, one_at_a_time, patiently

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str, timeout: float = 30.0, *, to: str = "head") -> tuple[str | None, Path | None]:
    """Upgrades a registry; nothing is changed where that fails, or where it is the newest already.

    Args:
        url: SQLAlchemy URL.
        timeout: seconds to wait for a locked or absent database.
        to: version to go to.

    Returns:
        The version that was there (None for an empty database), and the copy that was made of a SQLite
        file before it was changed.

    Raises:
        RegistryError: the database cannot be used, or is a newer version's.
    """
    engine = make_engine(url, timeout)

    def found() -> str | None:
        with Session(engine) as session, session.begin():
            return schema.version_of(session)

    def migrate() -> None:
        writing = engine.execution_options(writes=True)
        with writing.begin() as connection, Session(connection) as session:
            one_at_a_time(session, "tables")
            if schema.version_of(session) == schema.HEAD:
                return  # another process did it meanwhile
            config = _alembic()
            config.attributes["connection"] = connection
            if before == schema.UNVERSIONED and not _stamped(connection):
                command.stamp(config, schema.UNVERSIONED)
            command.upgrade(config, to)

    try:
        before = patiently(found, url, timeout)
        if before is not None and before > schema.HEAD:
            schema.check_version(before, engine.url.render_as_string(hide_password=True))
        if before == schema.HEAD:
            return before, None
        copy = None if before is None else _copied(url, before)
        patiently(migrate, url, timeout)
        return before, copy
    finally:
        engine.dispose()


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def _stamped(connection: Connection) -> bool:
    return inspect(connection).has_table("alembic_version")


def _copied(url: str, before: str) -> Path | None:
    """A copy of a SQLite file, taken by the database itself so that what is in its WAL is in it."""
    file = sqlite_database(url)
    if file is None:
        return None
    copy = Path(f"{file}.{before}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}")
    engine = make_engine(url, 30)
    try:
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("VACUUM INTO ?", (str(copy),))
        finally:
            raw.close()
    finally:
        engine.dispose()
    return copy
