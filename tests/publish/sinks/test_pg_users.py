"""Tables of users in Postgres: whoever stands in them is found, and those that no view shows go."""

from dataclasses import replace

import pytest

from hier_dag.pipeline.telling import tell
from hier_dag.publish.sinks.params import PgVectorSink
from hier_dag.publish.sinks.pgvector import PgVector
from tests.erasure.conftest import Place
from tests.publish.sinks.postgres import column, execute, tables
from tests.publish.sinks.test_pgvector import HOSTILE


@pytest.fixture
def sink(database):
    return PgVector(PgVectorSink(url=database))


def users(sink):
    return {table.name: table.users.to_pylist() for table in sink.users_tables()}


def test_a_delivery_leaves_no_table_of_an_earlier_version(sink, a_set):
    one, other = a_set(), a_set(seed=1, user_ids=["a", "b"])
    sink.deliver(one.files, one.record(1))
    sink.deliver(other.files, other.record(2))
    assert users(sink) == {"cafe_live_users__v2": ["a", "b"]}


def test_before_the_first_delivery_there_is_none(sink):
    assert users(sink) == {}


def test_ids_of_any_form_come_back_as_they_were(sink, a_set):
    one = a_set(user_ids=[*HOSTILE, "", "NULL", "a,b", '""'])
    sink.deliver(one.files, one.record(1))
    (ids,) = users(sink).values()
    assert sorted(ids) == sorted(one.user_ids)


def test_a_table_without_rows_holds_nobody(database, sink, a_set):
    one = a_set()
    sink.deliver(one.files, one.record(1))
    execute(database, "DELETE FROM hier.cafe_live_users__v1")
    assert users(sink) == {"cafe_live_users__v1": []}


def test_what_no_view_shows_is_dropped_and_what_one_shows_stays(database, sink, a_set):
    one = a_set()
    sink.deliver(one.files, one.record(2))
    execute(
        database,
        "CREATE TABLE hier.bar_live_users__v1 AS SELECT * FROM hier.cafe_live_users",
        "CREATE TABLE hier.bar_live_items__v1 AS SELECT * FROM hier.cafe_live_items",
    )
    for name in users(sink):
        sink.clear(name)
    assert tables(database) == ["cafe_live_items__v2", "cafe_live_users__v2"]
    assert column(database, "id", "hier.cafe_live_users") == one.user_ids


def test_an_erasure_leaves_nobody_of_it_in_the_schema(database, sink, tmp_path):
    place = Place(tmp_path)
    place.policy = replace(place.policy, sinks=(PgVectorSink(url=database),))
    place.publish(1)
    tell(place.workshop, place.policy, "cafe")
    execute(database, "CREATE TABLE hier.bar_live_users__v1 AS SELECT * FROM hier.cafe_live_users")
    assert [table for table, ids in users(sink).items() if "u0007" in ids] == [
        "bar_live_users__v1", "cafe_live_users__v1",
    ]  # fmt: skip
    assert place.forget("u0007").receipt.told == []
    assert {table: "u0007" in ids for table, ids in users(sink).items()} == {"cafe_live_users__v2": False}
