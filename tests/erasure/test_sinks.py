"""No table of ours in a database keeps an erased user, and what could not be looked at is told."""

from dataclasses import replace

import pyarrow as pa
import pytest

from hier_dag.erasure.finish import finish
from hier_dag.erasure.sinks import look_at_sinks
from hier_dag.erasure.verify import verify
from hier_dag.ingest.connection import connect
from hier_dag.pipeline.telling import tell
from hier_dag.publish.sinks.params import LanceSink, PgVectorSink

lancedb = pytest.importorskip("lancedb", reason="needs the extra lance")

NOBODY_THERE = PgVectorSink(url="postgresql://hier:s3cret@127.0.0.1:1/vectors")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "lance"


@pytest.fixture
def served(place, folder):
    """The place with two versions, both delivered to LanceDB, which keeps the tables of two."""
    place.policy = replace(place.policy, sinks=(LanceSink(uri=str(folder)),))
    for mark in (1, 2):
        place.publish(mark)
        tell(place.workshop, place.policy, "cafe")
    return place


def holding(folder, user="u0007"):
    """Tables of a LanceDB database in which a user stands, in any state that can still be read."""
    database = lancedb.connect(str(folder))
    return sorted(name for name in database.list_tables().tables if user in ids(database, name))


def ids(database, name):
    table, found = database.open_table(name), set()
    for state in table.list_versions():
        table.checkout(state["version"])
        rows = table.to_arrow()
        found |= set(rows["id"].to_pylist() if "id" in rows.column_names else ())
    return found


def proof(place, receipt, policy=None):
    with connect(place.scratch) as con:
        return verify(con, place.workshop, policy or place.policy, receipt)


def looked(place, policy=None):
    with connect(place.scratch) as con:
        erased = place.workshop.erasures.erased()
        return look_at_sinks(con, policy or place.policy, erased)


def test_tables_of_earlier_versions_go_where_they_hold_an_erased_user(served, folder):
    assert holding(folder) == ["cafe_live_users__v1", "cafe_live_users__v2"]
    done = served.forget("u0007")
    assert done.receipt.told == []
    assert holding(folder) == []
    assert sorted(p.name for p in folder.iterdir()) == [
        "cafe_live_items__v3.lance", "cafe_live_users__v3.lance", "sets.lance",
    ]  # fmt: skip
    assert proof(served, done.receipt).problems == []
    assert proof(served, done.receipt).sinks == 1


def test_tables_of_earlier_versions_stay_where_they_hold_nobody_erased(served, folder):
    served.forget("a stranger")
    assert holding(folder) == ["cafe_live_users__v1", "cafe_live_users__v2"]


def test_old_tables_that_are_kept_are_told_and_go_when_it_is_finished(served, folder):
    done = served.forget("u0007", keep_old=True)
    assert holding(folder) == ["cafe_live_users__v2"]
    (problem,) = proof(served, done.receipt).problems
    assert "cafe_live_users__v2 holds 1 erased user(s): run hier forget --finish" in problem
    with connect(served.scratch) as con:
        assert finish(con, served.workshop, served.policy) == []
    assert holding(folder) == []
    assert proof(served, done.receipt).problems == []


def test_an_earlier_state_of_a_table_in_force_goes_too(served, folder):
    served.forget("u0007")
    name = "cafe_live_users__v3"
    database = lancedb.connect(str(folder))
    whole = database.open_table(name).to_arrow()
    other = pa.concat_tables([whole, whole.slice(0, 1).set_column(0, whole.schema.field(0), [["u0007"]])])
    database.create_table(name, other, mode="overwrite")
    database.create_table(name, whole, mode="overwrite")
    assert holding(folder) == [name]
    assert looked(served)[0].holding == {name: 1}
    assert served.forget("u0007").receipt.told == []
    assert holding(folder) == []
    assert database.open_table(name).to_arrow().num_rows == whole.num_rows


def test_what_a_killed_delivery_has_left_goes(served, folder):
    torn = folder / "cafe_live_users__v9.lance" / "data" / "torn.lance"
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"half a file, in which u0007 may stand")
    assert served.forget("u0007").receipt.told == []
    assert not torn.exists()


def test_a_later_version_that_is_in_force_there_is_told_and_how_to_mend_it(served, folder):
    sets = lancedb.connect(str(folder)).open_table("sets")
    (row,) = [r for r in sets.to_arrow().to_pylist() if r["version"] == 2]
    sets.add(pa.Table.from_pylist([{**row, "version": 8}], schema=sets.schema))
    done = served.forget("u0007")
    (told,) = done.receipt.told
    assert "cafe_live_users__v2 holds 1 erased user(s)" in told
    assert "remove the row of its domain and alias" in told
    sets.checkout_latest()
    sets.delete("version = 8")
    with connect(served.scratch) as con:
        assert finish(con, served.workshop, served.policy) == []
    assert holding(folder) == []


def test_a_sink_that_is_down_keeps_no_other_from_being_cleaned_and_proves_nothing(served, folder):
    down = replace(served.policy, sinks=(NOBODY_THERE, *served.policy.sinks))
    done = served.forget("u0007", policy=down)
    assert holding(folder) == []
    assert any("vectors#hier could not be looked at: Postgres refuses" in told for told in done.receipt.told)
    (problem,) = proof(served, done.receipt, down).problems
    assert "could not be looked at" in problem
    assert [(s.sink, bool(s.error), s.tables) for s in looked(served, down)] == [
        ("pgvector", True, 0), ("lance", False, 1),
    ]  # fmt: skip
    assert "s3cret" not in str(done.receipt) + problem
