"""Consumers of Postgres find in it exactly the set in force, whatever happens to deliveries."""

import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hier_dag.errors import SinkError, StoreError
from hier_dag.publish.sinks.params import PgVectorSink
from hier_dag.publish.sinks.pgvector import PgVector
from tests.publish.sinks.conftest import new_database, write_set
from tests.publish.sinks.postgres import best, column, connected, execute, tables

HOSTILE = [
    "'; DROP TABLE x; --",
    '"',
    "a\nb",
    "a\rb",
    "a\tb",
    "\\",
    "\\N",
    "\\.",
    "{1,2}",
    "😀",
    "e\u0301",
    "é",
    " ",
    "𝒳\x01",
]


@pytest.fixture
def sink(database):
    return PgVector(PgVectorSink(url=database))


def test_items_come_back_in_the_order_of_their_exact_inner_products(database, sink, a_set):
    for version in range(1, 4):
        given_set = a_set(seed=version, items=300)
        sink.deliver(given_set.files, given_set.record(version))
        for user in range(5):
            assert best(database, given_set.users[user]) == given_set.best(user)


def test_vectors_names_origins_and_norms_come_back_bit_for_bit(database, sink, a_set):
    one = a_set()
    sink.deliver(one.files, one.record(1))
    with connected(database) as connection:
        rows = connection.exec_driver_sql(
            "SELECT id, name, vector::real[], norm FROM hier.cafe_live_items"
        ).all()
    got = {r[0]: r for r in rows}
    assert np.array_equal(np.array([got[i][2] for i in one.item_ids], dtype=np.float32), one.items)
    assert got["i00003"][1] == "name of i00003"
    assert np.float32(got["i00003"][3]) == np.linalg.norm(one.items[3]).astype(np.float32)
    assert set(column(database, "origin", "hier.cafe_live_users")) == {"trained", "kg_inferred", "fallback"}


def test_a_second_delivery_changes_nothing(database, sink, a_set):
    one = a_set()
    assert sink.deliver(one.files, one.record(1)).outcome == "delivered"
    with connected(database) as connection:
        before = connection.exec_driver_sql("SELECT * FROM hier.sets").all()
    again = sink.deliver(one.files, one.record(1))
    assert (again.outcome, again.version, again.rows) == ("there", 1, 0)
    with connected(database) as connection:
        assert connection.exec_driver_sql("SELECT * FROM hier.sets").all() == before


def test_a_later_version_replaces_the_set_even_with_another_dimension(database, sink, a_set):
    old, new = a_set(dim=8), a_set(seed=1, dim=12, items=70)
    sink.deliver(old.files, old.record(1))
    sink.deliver(new.files, new.record(2))
    assert best(database, new.users[0]) == new.best(0)
    assert sink.current("cafe", "live") == (2, new.files.digest)
    assert tables(database) == ["cafe_live_items__v2", "cafe_live_users__v2"]


def test_an_earlier_version_that_comes_late_is_not_taken(database, sink, a_set):
    old, new = a_set(), a_set(seed=1)
    sink.deliver(new.files, new.record(2))
    late = sink.deliver(old.files, old.record(1))
    assert (late.outcome, late.version, late.digest) == ("superseded", 2, new.files.digest)
    assert best(database, new.users[0]) == new.best(0)


def test_a_version_that_is_another_set_there_is_refused(sink, a_set):
    one, other = a_set(), a_set(seed=1)
    sink.deliver(one.files, one.record(1))
    with pytest.raises(SinkError, match="two platforms share this place"):
        sink.deliver(other.files, other.record(1))
    assert sink.current("cafe", "live") == (1, one.files.digest)


def test_after_the_row_of_a_set_was_removed_any_version_may_come(database, sink, a_set):
    one, other = a_set(), a_set(seed=1)
    sink.deliver(one.files, one.record(5))
    execute(database, "DELETE FROM hier.sets")
    assert sink.deliver(other.files, other.record(5)).outcome == "delivered"
    assert best(database, other.users[0]) == other.best(0)


def test_hostile_ids_come_back_as_they_were(database, sink, a_set):
    one = a_set(item_ids=HOSTILE, user_ids=HOSTILE)
    sink.deliver(one.files, one.record(1))
    assert column(database, "id", "hier.cafe_live_users") == one.user_ids
    assert best(database, one.users[0], k=20) == one.best(0, k=20)


def test_a_database_of_another_encoding_holds_what_it_has_characters_for(server, a_set):
    url = new_database(server, options="TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    sink, fits, does_not = PgVector(PgVectorSink(url=url)), a_set(item_ids=["café"]), a_set(item_ids=["☕"])
    sink.deliver(fits.files, fits.record(1))
    assert column(url, "id", "hier.cafe_live_items") == ["café"]
    with pytest.raises(SinkError, match="WITH ENCODING 'UTF8'"):
        sink.deliver(does_not.files, does_not.record(2))
    assert sink.current("cafe", "live") == (1, fits.files.digest)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sets(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30), min_size=1
    ),
    st.integers(0, 1 << 30),
)
def test_any_ids_and_any_vectors_are_found_as_numpy_finds_them(server, tmp_path_factory, ids, seed):
    one = write_set(tmp_path_factory.mktemp("set"), seed=seed, item_ids=list(ids), users=2)
    url = new_database(server)
    PgVector(PgVectorSink(url=url)).deliver(one.files, one.record(1))
    assert column(url, "id", "hier.cafe_live_items") == one.item_ids
    assert best(url, one.users[1]) == one.best(1)


def test_an_id_with_a_nul_character_is_refused_in_words(sink, a_set):
    one = a_set(item_ids=["a", "b\0c"])
    with pytest.raises(SinkError, match=r"NUL character, such as 'b\\x00c'") as refused:
        sink.deliver(one.files, one.record(1))
    assert (refused.value.domain, refused.value.file, refused.value.column) == (
        "cafe",
        "items.parquet",
        "item_id",
    )
    assert sink.current("cafe", "live") is None


def test_an_id_too_long_for_a_key_is_refused_in_words(sink, a_set):
    one = a_set(item_ids=["a", "".join(map(chr, np.random.default_rng(0).integers(0x4E00, 0x9FFF, 4000)))])
    with pytest.raises(SinkError, match=r"Postgres refuses.*sink of type lance"):
        sink.deliver(one.files, one.record(1))


def test_names_too_long_for_postgres_stay_apart(database, sink, a_set):
    where = [("a" * 100, "live"), ("a" * 99, "live"), ("a_b", "c"), ("a", "b_c"), ("c" * 100, "d" * 100)]
    sets = [a_set(seed=n) for n in range(len(where))]
    given_sets = list(zip(where, sets, strict=True))
    places = [
        sink.deliver(one.files, one.record(1, domain=domain, alias=alias))
        for (domain, alias), one in given_sets
    ]
    for ((domain, alias), one), place in zip(given_sets, places, strict=True):
        assert sink.current(domain, alias) == (1, one.files.digest)
        assert best(database, one.users[0], view=place.items) == one.best(0)


def test_a_name_that_is_no_domain_is_refused_before_anything_is_sent(sink, a_set):
    one = a_set()
    with pytest.raises(SinkError, match="no domain or alias can be called"):
        sink.deliver(one.files, one.record(1, domain='x"; DROP SCHEMA hier; --'))


def test_grants_and_views_of_consumers_outlive_a_swap(database, sink, a_set):
    old, new = a_set(), a_set(seed=1)
    sink.deliver(old.files, old.record(1))
    execute(
        database,
        "CREATE VIEW public.mine AS SELECT id, vector FROM hier.cafe_live_items",
        "DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "GRANT USAGE ON SCHEMA hier TO reader",
        "GRANT SELECT ON hier.cafe_live_items TO reader",
    )
    sink.deliver(new.files, new.record(2))
    assert best(database, new.users[0], view="public.mine") == new.best(0)
    with connected(database) as connection:
        connection.exec_driver_sql("SET ROLE reader")
        assert connection.exec_driver_sql("SELECT count(*) FROM hier.cafe_live_items").scalar() == len(
            new.item_ids
        )


def test_a_transaction_that_has_read_one_view_sees_the_same_version_in_both(database, sink, a_set):
    old, new = a_set(), a_set(seed=1, users=31, items=51)
    sink.deliver(old.files, old.record(1))
    swap = threading.Thread(target=lambda: sink.deliver(new.files, new.record(2)))
    with connected(database) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM hier.cafe_live_users").scalar() == 30
        swap.start()
        swap.join(0.3)
        assert swap.is_alive()
        assert connection.exec_driver_sql("SELECT count(*) FROM hier.cafe_live_items").scalar() == 50
    swap.join(30)
    assert column(database, "count(*)", "(SELECT 1 AS id FROM hier.cafe_live_items) x GROUP BY id") == [51]


def test_a_reader_that_never_ends_stops_a_swap_in_words_and_not_for_good(database, a_set):
    old, new = a_set(), a_set(seed=1)
    sink = PgVector(PgVectorSink(url=database, lock_seconds=0.1))
    sink.deliver(old.files, old.record(1))
    with connected(database) as connection:
        connection.exec_driver_sql("SELECT 1 FROM hier.cafe_live_items")
        with pytest.raises(SinkError, match="end the transaction that has held the old set"):
            sink.deliver(new.files, new.record(2))
    assert best(database, old.users[0]) == old.best(0)
    assert sink.deliver(new.files, new.record(2)).outcome == "delivered"


def test_many_items_get_an_index_that_answers_through_the_view(database, a_set):
    one = a_set(items=2000)
    facts = PgVector(PgVectorSink(url=database, index_from=1000)).deliver(one.files, one.record(1))
    assert facts.index == "hnsw"
    with connected(database) as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")
        query = "EXPLAIN SELECT id FROM hier.cafe_live_items ORDER BY vector <#> '[1,0,0,0,0,0,0,0]' LIMIT 10"
        assert "Index Scan using cafe_live_items__v1_vector_idx" in str(
            connection.exec_driver_sql(query).all()
        )
    found = np.mean([len(set(best(database, v)) & set(one.best(n))) for n, v in enumerate(one.users)]) / 10
    assert 0.9 < found <= 1
    assert facts.recall == pytest.approx(found)


def test_an_index_that_finds_little_is_told_as_such(database, a_set):
    one = a_set(items=4000, dim=64)
    params = PgVectorSink(url=database, index_from=1, m=2, ef_construction=4)
    poor = PgVector(params).deliver(one.files, one.record(1))
    assert 0 < poor.recall < 0.5
    assert PgVector(PgVectorSink(url=database)).deliver(one.files, one.record(2)).recall is None


def test_dimensions_beyond_the_index_are_scanned_and_beyond_the_type_refused(database, a_set):
    sink = PgVector(PgVectorSink(url=database, index_from=1))
    wide, too_wide = a_set(dim=2001), a_set(dim=16_001, users=1, items=1)
    facts = sink.deliver(wide.files, wide.record(1))
    assert (facts.index, facts.why_no_index) == (
        None,
        "scanned exactly: 2,001 dimensions, pgvector indexes up to 2,000",
    )
    assert best(database, wide.users[0]) == wide.best(0)
    with pytest.raises(SinkError, match=r"16,001 dimensions: pgvector holds up to 16,000"):
        sink.deliver(too_wide.files, too_wide.record(2))


def test_a_database_without_the_extension_is_told_how_to_get_it(server, a_set):
    one = a_set()
    with pytest.raises(SinkError, match="CREATE EXTENSION vector") as refused:
        PgVector(PgVectorSink(url=new_database(server, extension=False))).deliver(one.files, one.record(1))
    assert refused.value.domain == "cafe"


def test_an_extension_in_a_schema_of_its_own_is_found(server, a_set):
    url, one = new_database(server, extension=False), a_set()
    execute(url, "CREATE SCHEMA extensions", "CREATE EXTENSION vector SCHEMA extensions")
    PgVector(PgVectorSink(url=url, index_from=1)).deliver(one.files, one.record(1))
    assert column(url, "id", "hier.cafe_live_items") == one.item_ids


def test_a_role_needs_no_more_than_a_schema_of_its_own(database, a_set):
    one = a_set()
    execute(
        database,
        "DO $$ BEGIN CREATE ROLE loader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    )
    sink = PgVector(PgVectorSink(url=database.replace("postgres:@", "loader:@")))
    with pytest.raises(SinkError, match=r"permission denied.*CREATE SCHEMA"):
        sink.deliver(one.files, one.record(1))
    execute(database, "CREATE SCHEMA hier AUTHORIZATION loader")
    for version in (1, 2):
        assert sink.deliver(one.files, one.record(version)).outcome == "delivered"


def test_no_message_holds_the_password(a_set):
    one = a_set()
    sink = PgVector(PgVectorSink(url="postgresql://hier:s3cret@127.0.0.1:1/vectors"))
    with pytest.raises(SinkError, match="check that the database runs") as refused:
        sink.deliver(one.files, one.record(1))
    assert "s3cret" not in str(refused.value) + repr(refused.value.as_dict())
    assert refused.value.__cause__ is None
    assert "hier.cafe_live" in str(refused.value)


def test_a_damaged_file_is_named_before_anything_is_sent(sink, a_set):
    one = a_set()
    one.files.file("items").write_bytes(b"PAR1 and no more")
    with pytest.raises(StoreError, match=r"items\.parquet"):
        sink.deliver(one.files, one.record(1))
    assert sink.current("cafe", "live") is None


def test_deliveries_at_the_same_time_end_at_the_latest_version(database, a_set):
    sets = [a_set(seed=n) for n in range(8)]
    errors = []

    def deliver(version):
        try:
            one = sets[version - 1]
            PgVector(PgVectorSink(url=database)).deliver(one.files, one.record(version))
        except SinkError as e:
            errors.append(e)

    order = np.random.default_rng(0).permutation(8) + 1
    threads = [threading.Thread(target=deliver, args=(int(v),)) for v in order]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert PgVector(PgVectorSink(url=database)).current("cafe", "live") == (8, sets[7].files.digest)
    assert best(database, sets[7].users[0]) == sets[7].best(0)
    assert tables(database) == ["cafe_live_items__v8", "cafe_live_users__v8"]
