"""Artifacts are named by a digest, its beginning, a domain or a version of it."""

import pytest
import sqlalchemy as sa

from hier_dag.errors import UsageError
from hier_dag.lineage.reference import beginning, named


def test_a_beginning_a_domain_and_a_version_name_an_artifact(works):
    digests = [works.make("publish/embeddings", "cafe", params={"n": n}) for n in range(2)]
    for digest in digests:
        works.publish("cafe", digest)
    assert named(works.registry, "cafe").digest == digests[1]
    assert named(works.registry, "cafe").version == 2
    first = named(works.registry, "cafe@1")
    assert (first.digest, first.kind, first.partition) == (digests[0], "publish/embeddings", "cafe")
    assert "cafe@1" in str(first)
    for length in (16, 64):
        assert named(works.registry, digests[0][:length].upper()).digest == digests[0]


def test_what_names_nothing_or_several_says_what_there_is(works):
    digests = sorted(works.make("kg/graph", params={"n": n}) for n in range(20))
    shared = next(c for c in "0123456789abcdef" if sum(d.startswith(c) for d in digests) > 1)
    with pytest.raises(UsageError, match="several artifacts: kg/graph"):
        named(works.registry, shared)
    works.publish("cafe", digests[0])
    for text, said in (
        ("zebra", "neither a published domain nor the beginning"),
        ("", "neither"),
        ("%", "neither"),
        ("cafe@9", "no version '9'"),
        ("cafe@", "no version ''"),
        ("bar@1", "nothing is published for 'bar'"),
    ):
        with pytest.raises(UsageError, match=said) as told:
            named(works.registry, text)
        assert "cafe" in told.value.fix or "versions 1 to 1" in told.value.fix


def test_a_beginning_is_looked_up_in_the_index_and_not_by_reading_every_row(works):
    works.make("kg/graph")
    seen = []

    def explain(connection, cursor, statement, parameters, *_):
        if "artifacts" in statement and statement.startswith("SELECT"):
            seen.append((statement, parameters))

    sa.event.listen(works.registry._engine, "before_cursor_execute", explain)
    works.registry.read(lambda s: beginning(s, "abc", 5))
    sa.event.remove(works.registry._engine, "before_cursor_execute", explain)
    ((statement, parameters),) = seen
    with works.registry._engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")  # an empty table is read whole otherwise
        word = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        plan = " ".join(map(str, connection.exec_driver_sql(f"{word} {statement}", parameters).all()))
    assert "digest>?" in plan or "Index Cond: (((digest)" in plan
