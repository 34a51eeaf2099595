"""A delivery to Postgres that is killed leaves the old set whole, and nothing in the next one's way."""

import time

import pytest

from hier_dag.publish.sinks.params import PgVectorSink
from hier_dag.publish.sinks.pgvector import PgVector
from tests.publish.sinks.killed import POSTGRES, arm_postgres, kill
from tests.publish.sinks.postgres import best, tables

V1, V2 = (["cafe_live_items__" + v, "cafe_live_users__" + v] for v in ("v1", "v2"))


@pytest.mark.parametrize("point", POSTGRES)
def test_a_killed_delivery_leaves_the_old_set_whole_and_the_next_succeeds(point, database, a_set):
    params = PgVectorSink(url=database, index_from=1000)
    old, new = a_set(), a_set(seed=1, items=9000, users=9000, dim=16)
    sink = PgVector(params)
    sink.deliver(old.files, old.record(1))

    kill(params, new.files, new.record(2), arm_postgres, point)

    assert sink.current("cafe", "live") == (1, old.files.digest)
    assert best(database, old.users[0]) == old.best(0)
    assert tables(database) == V1
    began = time.monotonic()
    assert sink.deliver(old.files, old.record(2)).outcome == "delivered"
    assert time.monotonic() - began < 10  # the dead delivery's backend does not hold the next one up
    assert best(database, old.users[0]) == old.best(0)
    assert tables(database) == V2
