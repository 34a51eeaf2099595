"""The tables themselves are verified: without keys, or with strange triggers, they answer what is not so."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from benchmarks.faults.tampering import filled
from hier_dag.errors import RegistryError
from hier_dag.registry import CheckRow
from hier_dag.registry.verify import verify_log


@pytest.fixture
def registry(either, tmp_path):
    return filled(either, tmp_path, rounds=2)


def of_sqlite(registry):
    return registry.url.startswith("sqlite")


def execute(registry, *statements):
    with registry._engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def told(registry):
    return {(p.what, p.table) for p in verify_log(registry).problems}


def test_a_forged_row_beside_the_true_one_is_found_though_the_key_was_dropped(registry):
    columns = "event, platform, domain, kind, subject, who, why, until, created_at"
    execute(
        registry,
        "ALTER TABLE decisions RENAME TO old",
        "CREATE TABLE decisions AS SELECT event, platform, domain, 'waiver' AS kind, '*' AS subject, who, "
        "why, until, created_at FROM old WHERE event = (SELECT max(event) FROM old)",
        f"INSERT INTO decisions SELECT {columns} FROM old",
        "DROP TABLE old",
    )
    assert registry.decisions(kinds=("waiver",))  # it would be believed
    assert {("table", "decisions"), ("added row", "decisions")} <= told(registry)


def test_a_column_more_and_a_constraint_less_are_told(registry):
    execute(registry, "ALTER TABLE checks ADD COLUMN note VARCHAR")
    assert told(registry) == {("table", "checks")}


def test_triggers_that_are_none_of_ours_or_are_gone_are_told(registry):
    if of_sqlite(registry):
        execute(
            registry,
            "DROP TRIGGER events_no_delete",
            "CREATE TRIGGER quiet BEFORE INSERT ON checks BEGIN SELECT RAISE(IGNORE); END",
        )
    else:
        execute(
            registry,
            "DROP TRIGGER events_append_only ON events",
            "CREATE RULE quiet AS ON INSERT TO checks DO INSTEAD NOTHING",
        )
    assert told(registry) == {("table", "events"), ("table", "checks")}


def test_a_guard_that_does_nothing_is_told(registry):
    if of_sqlite(registry):
        pytest.skip("its triggers are compared word for word")
    execute(
        registry,
        "CREATE OR REPLACE FUNCTION hier_events_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN NULL; END $$",
    )
    assert told(registry) == {("table", "events")}


def test_a_database_that_swallows_events_is_noticed_while_writing(registry):
    if of_sqlite(registry):
        execute(registry, "CREATE TRIGGER quiet BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END")
    else:
        execute(registry, "CREATE RULE quiet AS ON INSERT TO events DO INSTEAD NOTHING")
    with pytest.raises(RegistryError, match="swallows"):
        registry.record_failure("kg/graph", None, "k", [CheckRow("edges", False)], run_id="r")


def test_an_event_cannot_be_replaced(registry):
    if not of_sqlite(registry):
        pytest.skip("Postgres has no INSERT OR REPLACE")
    names = "seq, hash, platform, kind, at, who, run_id, entry, signature"
    with pytest.raises(DBAPIError, match="append-only"):
        execute(
            registry,
            f"INSERT OR REPLACE INTO events ({names}) SELECT seq, hash, platform, kind, at, 'eve', run_id, "
            "entry, signature FROM events WHERE seq = 2",
        )
    assert verify_log(registry).problems == []
