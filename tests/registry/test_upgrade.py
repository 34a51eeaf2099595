"""A registry of an earlier version is told apart, upgraded with its history, and whole either way."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from hier_dag.errors import RegistryError
from hier_dag.registry import CheckRow, Registry, schema
from hier_dag.registry.tables import Base
from hier_dag.registry.upgrade import _alembic, upgrade

MANIFEST = {
    "kind": "publish/embeddings", "partition": "cafe", "request_key": "k", "code_version": "1", "params": {},
    "seeds": [], "parents": {"model": "m"}, "inputs": [], "environment": "e", "tables": {}, "summary": {},
    "files": [{"path": "users.parquet", "sha256": "0" * 64, "bytes": 7}],
}  # fmt: skip
BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def old(either):
    """A registry as it was before it had a log, with one of everything."""
    upgrade(either, to="0001")
    at = [(BEGAN + timedelta(minutes=n)) for n in range(6)]
    rows = [
        ("environments", {"digest": "e", "facts": json.dumps({"python": "3.11.9"})}),
        ("artifacts", {
            "digest": "d1", "kind": "publish/embeddings", "partition": "cafe", "request_key": "k",
            "code_version": "1", "code_commit": "c", "environment": "e", "run_id": "r", "created_at": at[0],
            "seconds": 2.5, "bytes": 7, "manifest": json.dumps(MANIFEST),
        }),
        ("parents", {"child": "d1", "role": "model", "parent": "m"}),
        ("requests", {
            "platform": "city", "request_key": "k", "digest": "d1", "run_id": "r", "created_at": at[0],
        }),
        *[("checks", {
            "platform": "city", "artifact": "d1", "request_key": "k", "kind": "publish/embeddings",
            "partition": "cafe", "name": name, "passed": True, "facts": json.dumps({"rows": n}),
            "run_id": "r", "created_at": at[0],
        }) for n, name in enumerate(["contract", "coverage"])],
        ("decisions", {
            "platform": "city", "domain": "cafe", "kind": "pin", "subject": "d1", "who": "ann",
            "why": "audit", "until": None, "created_at": at[2],
        }),
        *[("aliases", {
            "platform": "city", "domain": "cafe", "alias": "live", "version": n, "digest": "d1",
            "action": action, "change": "first", "space": "s", "facts": json.dumps({"p50": 1.5}),
            "run_id": "r", "who": "bob", "why": "w", "created_at": at[n],
        }) for n, action in [(1, "publish"), (2, "rollback")]],
    ]  # fmt: skip
    engine = create_engine(either)
    with engine.begin() as connection:
        for table, row in rows:
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
    engine.dispose()
    return either


def test_a_registry_of_an_earlier_version_says_what_to_do_and_is_left_alone(old):
    with pytest.raises(RegistryError, match=r"version 0001.*needs 0002.*hier registry upgrade"):
        Registry(old)
    with pytest.raises(RegistryError):
        Registry(old)


def test_an_upgrade_keeps_every_row_as_an_event_of_its_time(old):
    before, copy = upgrade(old)
    assert before == "0001"
    assert (copy is not None) == old.startswith("sqlite")
    registry = Registry(old, platform="city")
    kinds = [e.kind for e in registry.events()]
    assert kinds == [
        "environment", "artifact", "request", "checks", "alias", "decision", "alias", "imported",
    ]  # fmt: skip
    row = registry.artifact("d1")
    assert (row.created_at, row.seconds, row.manifest) == (BEGAN, 2.5, MANIFEST)
    assert registry.parents("d1") == {"model": "m"}
    assert registry.find("k") == "d1"
    assert registry.environment("e") == {"python": "3.11.9"}
    assert registry.checks("d1") == [
        CheckRow("contract", True, {"rows": 0}), CheckRow("coverage", True, {"rows": 1}),
    ]  # fmt: skip
    (pin,) = registry.decisions()
    assert (pin.kind, pin.who, pin.created_at) == ("pin", "ann", BEGAN + timedelta(minutes=2))
    newest, first = registry.alias_history("cafe")
    assert (newest.version, newest.action, newest.who, newest.facts) == (2, "rollback", "bob", {"p50": 1.5})
    assert first.hash == newest.hash == ""  # records that readers hold were written before there was a chain
    assert upgrade(old) == (schema.HEAD, None)


def test_the_copy_of_a_sqlite_file_is_the_registry_before(old):
    if not old.startswith("sqlite"):
        pytest.skip("a server's database is backed up by its own tools")
    _, copy = upgrade(old)
    with pytest.raises(RegistryError, match="version 0001"):
        Registry(f"sqlite:///{copy}")
    assert Path(copy).stat().st_mode & 0o077 == Path(old.removeprefix("sqlite:///")).stat().st_mode & 0o077


def test_an_upgrade_that_fails_changes_nothing(old, monkeypatch):
    def fails(*_):
        raise RuntimeError("power cut")

    monkeypatch.setattr("hier_dag.registry.imported.import_tables", fails)
    with pytest.raises(RuntimeError, match="power cut"):
        upgrade(old)
    monkeypatch.undo()
    upgrade(old)
    assert Registry(old, platform="city").find("k") == "d1"


def test_several_that_upgrade_at_once_do_it_once(old):
    with ThreadPoolExecutor(4) as threads:
        befores = [before for before, _ in threads.map(lambda _: upgrade(old), range(4))]
    assert set(befores) <= {"0001", schema.HEAD}
    assert [e.kind for e in Registry(old).events()].count("imported") == 1


def test_a_newer_registry_is_refused(either):
    Registry(either)
    engine = create_engine(either)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for use in (Registry, upgrade):
        with pytest.raises(RegistryError, match=r"newer hier_dag.*9999"):
            use(either)


def test_migrations_and_fresh_tables_are_the_same(either, tmp_path):
    assert ScriptDirectory.from_config(_alembic()).get_heads() == [schema.HEAD]
    upgrade(either)
    fresh = Registry(f"sqlite:///{tmp_path / 'fresh.db'}")
    for engine in (Registry(either)._engine, fresh._engine):
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
