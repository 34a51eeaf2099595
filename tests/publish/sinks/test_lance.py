"""Consumers of LanceDB open a pair of tables of one set, the latest, whatever happens to deliveries."""

import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hier_dag.errors import SinkError, StoreError
from hier_dag.publish.sinks import lance_sets
from hier_dag.publish.sinks.lance import Lance
from hier_dag.publish.sinks.params import LanceSink
from tests.publish.sinks.conftest import write_set
from tests.publish.sinks.killed import LANCE, arm_lance, kill

pytest.importorskip("lancedb", reason="needs the extra lance")


@pytest.fixture
def place(tmp_path):
    return tmp_path / "lance"


@pytest.fixture
def sink(place):
    return Lance(LanceSink(uri=str(place)))


def best(sink, vector, k=10, domain="cafe", alias="live"):
    items = sink.open_current(domain, alias)["items"]
    return items.search(vector).distance_type("dot").limit(k).to_arrow()["id"].to_pylist()


def folders(place):
    return sorted(p.name.removesuffix(".lance") for p in place.iterdir() if p.name != "sets.lance")


def pair(*versions):
    return sorted(f"cafe_live_{side}__v{v}" for v in versions for side in ("users", "items"))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sets(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1),
    st.integers(0, 1 << 30),
)
def test_any_ids_and_any_vectors_are_found_as_numpy_finds_them(tmp_path_factory, ids, seed):
    one = write_set(tmp_path_factory.mktemp("set"), seed=seed, user_ids=list(ids), items=200)
    sink = Lance(LanceSink(uri=str(tmp_path_factory.mktemp("lance"))))
    sink.deliver(one.files, one.record(1))
    users = sink.open_current("cafe", "live")["users"].to_arrow()
    assert users["id"].to_pylist() == one.user_ids
    assert np.array_equal(np.array(users["vector"].to_pylist(), np.float32), one.users)
    assert best(sink, one.users[0]) == one.best(0)


def test_a_consumer_without_this_package_finds_the_pair_by_the_highest_version(place, sink, a_set):
    import lancedb

    for version in (1, 2, 3):
        one = a_set(seed=version)
        sink.deliver(one.files, one.record(version))
    database = lancedb.connect(str(place))
    rows = database.open_table("sets").to_arrow().to_pylist()
    row = max((r for r in rows if (r["domain"], r["alias"]) == ("cafe", "live")), key=lambda r: r["version"])
    items = database.open_table(row["items_table"])
    assert items.to_arrow()["id"].to_pylist() == one.item_ids
    assert items.schema.metadata[b"hier.digest"].decode() == row["digest"] == one.files.digest


def test_a_second_delivery_changes_nothing(place, sink, a_set):
    one = a_set()
    assert sink.deliver(one.files, one.record(1)).outcome == "delivered"
    before = {p: p.stat().st_mtime_ns for p in place.rglob("*")}
    again = sink.deliver(one.files, one.record(1))
    assert (again.outcome, again.version, again.rows) == ("there", 1, 0)
    assert {p: p.stat().st_mtime_ns for p in place.rglob("*")} == before


def test_a_later_version_replaces_and_the_one_before_stays_for_its_readers(place, sink, a_set):
    sets = [a_set(seed=n, dim=8 + n) for n in range(3)]
    reading = None
    for version, one in enumerate(sets, 1):
        sink.deliver(one.files, one.record(version))
        reading = reading if version == 3 else sink.open_current("cafe", "live")
    assert best(sink, sets[2].users[0]) == sets[2].best(0)
    assert reading["items"].to_arrow()["id"].to_pylist() == sets[1].item_ids
    assert folders(place) == pair(2, 3)


def test_an_earlier_version_that_comes_late_is_not_taken(sink, a_set):
    old, new = a_set(), a_set(seed=1)
    sink.deliver(new.files, new.record(2))
    late = sink.deliver(old.files, old.record(1))
    assert (late.outcome, late.version, late.digest) == ("superseded", 2, new.files.digest)
    assert best(sink, new.users[0]) == new.best(0)


def test_a_version_that_is_another_set_there_is_refused(sink, a_set):
    one, other = a_set(), a_set(seed=1)
    sink.deliver(one.files, one.record(1))
    with pytest.raises(SinkError, match="two platforms share this place"):
        sink.deliver(other.files, other.record(1))


def test_domains_and_aliases_do_not_meet_whatever_their_names(sink, a_set):
    where = [("a" * 100, "live"), ("a_b", "c"), ("a", "b_c"), ("c" * 100, "d" * 100)]
    sets = [a_set(seed=n) for n in range(len(where))]
    for (domain, alias), one in zip(where, sets, strict=True):
        for version in (1, 2, 3):
            sink.deliver(one.files, one.record(version, domain=domain, alias=alias))
    for (domain, alias), one in zip(where, sets, strict=True):
        assert best(sink, one.users[0], domain=domain, alias=alias) == one.best(0)


def test_deliveries_at_the_same_time_end_at_the_latest_version(place, a_set):
    sets = [a_set(seed=n) for n in range(8)]
    errors = []

    def deliver(version):
        try:
            one = sets[version - 1]
            Lance(LanceSink(uri=str(place))).deliver(one.files, one.record(version))
        except SinkError as e:
            errors.append(e)

    threads = [
        threading.Thread(target=deliver, args=(int(v) + 1,)) for v in np.random.default_rng(0).permutation(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sink = Lance(LanceSink(uri=str(place)))
    assert errors == []
    assert sink.current("cafe", "live") == (8, sets[7].files.digest)
    assert best(sink, sets[7].users[0]) == sets[7].best(0)


def test_many_deliveries_leave_a_table_of_sets_that_is_quick_to_read(sink, place, a_set, monkeypatch):
    import lancedb

    monkeypatch.setattr(lance_sets, "_FRAGMENTS", 5)
    one = a_set(users=1, items=1)
    for version in range(1, 15):
        sink.deliver(one.files, one.record(version))
    sets = lancedb.connect(str(place)).open_table("sets")
    assert sets.stats()["fragment_stats"]["num_fragments"] <= 6
    assert sets.count_rows() == 14


def test_what_a_killed_delivery_of_a_skipped_version_left_is_removed(sink, place, a_set):
    one = a_set()
    sink.deliver(one.files, one.record(1))
    (place / "cafe_live_users__v2.lance" / "data").mkdir(parents=True)
    (place / "cafe_live_users__v2.lance" / "data" / "torn.lance").write_bytes(b"half a file")
    sink.deliver(one.files, one.record(3))
    assert folders(place) == pair(1, 3)


def test_a_place_that_cannot_be_written_is_named(tmp_path, a_set):
    (tmp_path / "file").write_text("no folder")
    one = a_set()
    with pytest.raises(SinkError, match="LanceDB refuses") as refused:
        Lance(LanceSink(uri=str(tmp_path / "file" / "lance"))).deliver(one.files, one.record(1))
    assert refused.value.domain == "cafe"
    assert "cafe_live" in str(refused.value)


def test_a_damaged_file_is_named_before_anything_is_written(place, sink, a_set):
    one = a_set()
    one.files.file("users").write_bytes(b"PAR1 and no more")
    with pytest.raises(StoreError, match=r"users\.parquet"):
        sink.deliver(one.files, one.record(1))
    assert not place.exists()


@pytest.mark.parametrize("point", LANCE)
def test_a_killed_delivery_leaves_one_set_whole_and_the_next_succeeds(point, place, a_set):
    params = LanceSink(uri=str(place), keep=1)
    sets = [a_set(seed=n, items=9000, users=9000) for n in range(3)]
    sink = Lance(params)
    sink.deliver(sets[0].files, sets[0].record(1))

    kill(params, sets[1].files, sets[1].record(2), arm_lance, point)

    there = 2 if "cleaned" in point else 1
    assert sink.current("cafe", "live") == (there, sets[there - 1].files.digest)
    assert best(sink, sets[0].users[0]) == sets[there - 1].best_of(sets[0].users[0])
    for version in (2, 3):
        sink.deliver(sets[version - 1].files, sets[version - 1].record(version))
        assert sink.current("cafe", "live") == (version, sets[version - 1].files.digest)
        assert folders(place) == pair(version)
