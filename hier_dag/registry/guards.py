"""Triggers by which the database itself refuses to change the log: a mistake in some tool is stopped here.

Whoever owns the database can drop them; what the chain shows does not depend on them.
"""

from __future__ import annotations

from sqlalchemy.engine import Connection

_REASON = "the log of the registry is append-only"
SQLITE = (
    f"CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, '{_REASON}'); END",
    f"CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, '{_REASON}'); END",
    # INSERT OR REPLACE would delete without a trigger being asked.
    "CREATE TRIGGER events_no_replace BEFORE INSERT ON events "
    "WHEN EXISTS (SELECT 1 FROM events WHERE seq = NEW.seq) "
    f"BEGIN SELECT RAISE(ABORT, '{_REASON}'); END",
)
POSTGRES_BODY = f" BEGIN RAISE EXCEPTION '{_REASON}'; END "
_POSTGRES = (
    "CREATE OR REPLACE FUNCTION hier_events_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    f"$${POSTGRES_BODY}$$",
    "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
    "FOR EACH STATEMENT EXECUTE FUNCTION hier_events_append_only()",
)


def guard(connection: Connection) -> None:
    """Puts the triggers on a new log; other databases than SQLite and Postgres have none."""
    for statement in {"sqlite": SQLITE, "postgresql": _POSTGRES}.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)


def unguard(connection: Connection) -> None:
    """Takes them away: for tests of tampering, by one who owns the database."""
    drop = {
        "sqlite": tuple(f"DROP TRIGGER {made.split()[2]}" for made in SQLITE),
        "postgresql": ("DROP TRIGGER events_append_only ON events",),
    }
    for statement in drop.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)
