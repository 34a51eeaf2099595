"""The tables themselves: keys, columns and triggers are what they were made as.

Without its keys a table may hold two rows where the log has one; a trigger may swallow what is written. Both
would let somebody answer questions that the log does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Inspector, Table, UniqueConstraint, inspect
from sqlalchemy.orm import Session

from hier_dag.registry.guards import POSTGRES_BODY, SQLITE
from hier_dag.registry.tables import Base
from hier_dag.registry.verdict import LogVerdict, short

_POSTGRES_EXTRAS = """
SELECT c.relname, 'trigger ' || t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
  AND (t.tgname <> 'events_append_only' OR t.tgenabled = 'D')
UNION ALL SELECT tablename, 'rule ' || rulename FROM pg_rules WHERE schemaname = current_schema()
UNION ALL SELECT relname, 'row security' FROM pg_class
WHERE relrowsecurity AND relnamespace = current_schema()::regnamespace
"""
_POSTGRES_GUARD = """
SELECT p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgname = 'events_append_only' AND t.tgrelid = 'events'::regclass
"""


def check_schema(s: Session, found: LogVerdict) -> None:
    """Compares the tables of a registry with those that the models make.

    Args:
        s: a transaction.
        found: where problems are noted.
    """
    there = inspect(s.connection())
    for name, table in sorted(Base.metadata.tables.items()):
        for wrong in _differences(there, table):
            found.tell("table", 0, name, wrong)
    dialect = s.connection().dialect.name
    extras = {"sqlite": _sqlite_extras, "postgresql": _postgres_extras}.get(dialect)
    for name, what in extras(s) if extras else ():
        if name in Base.metadata.tables:
            found.tell("table", 0, name, what)


def _differences(there: Inspector, table: Table) -> Iterator[str]:
    columns = {c["name"] for c in there.get_columns(table.name)}
    for name in sorted(columns - set(table.columns.keys())):
        yield f"it has a column more: {short(name)}"
    key = there.get_pk_constraint(table.name)["constrained_columns"]
    expected = [c.name for c in table.primary_key.columns]
    if sorted(key) != sorted(expected):
        yield f"its primary key is ({', '.join(key)}), not ({', '.join(expected)})"
    unique = {tuple(sorted(map(str, u["column_names"]))) for u in there.get_unique_constraints(table.name)}
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            names = [c.name for c in constraint.columns]
            if tuple(sorted(names)) not in unique:
                yield f"({', '.join(names)}) is not unique any more"


def _sqlite_extras(s: Session) -> Iterator[tuple[str, str]]:
    query = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'"
    made = [(table, name, sql) for table, name, sql in s.connection().exec_driver_sql(query)]
    for table, name, sql in made:
        if sql not in SQLITE:
            yield table, f"a trigger that is none of ours: {short(name)}"
    for lacking in sorted(set(SQLITE) - {sql for _, _, sql in made}):
        yield "events", f"the trigger {lacking.split()[2]} is gone: events may be changed"


def _postgres_extras(s: Session) -> Iterator[tuple[str, str]]:
    for table, what in s.connection().exec_driver_sql(_POSTGRES_EXTRAS):
        yield table, f"none of ours, or switched off: {short(what)}"
    guard = s.connection().exec_driver_sql(_POSTGRES_GUARD).first()
    if guard is None or guard[0] != POSTGRES_BODY:
        yield "events", "the trigger events_append_only is gone or does nothing: events may be changed"
