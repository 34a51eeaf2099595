"""The registry: what exists, what made it, what is live; patient with locks, clear when they stay."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from hier_dag.environment import environment_digest
from hier_dag.errors import MovedOn, RegistryError
from hier_dag.registry import CheckRow, Move, Registry
from hier_dag.store import ArtifactStore, Manifest
from tests.databases import of_sqlite, registry_url


@pytest.fixture
def url(tmp_path):
    return registry_url(tmp_path / "registry.db")


@pytest.fixture
def registry(url):
    return Registry(url, timeout=5)


@pytest.fixture
def artifact(tmp_path):
    store = ArtifactStore(tmp_path / "store")

    def make(text="x", partition=None, parents=None):
        with store.stage("kg/graph") as staged:
            (staged / "f").write_text(text)
            return store.commit(
                staged,
                Manifest(
                    kind="kg/graph", partition=partition, request_key=f"{hash(text) % 2**32:064x}",
                    code_version="1", params={}, parents=parents or {}, environment=environment_digest(),
                ),
            )  # fmt: skip

    return make


def test_what_was_recorded_is_found_again(registry, artifact):
    parent = artifact("parent")
    child = artifact("child", partition="food", parents={"graph": parent.digest})
    registry.record(parent, [], run_id="r1", seconds=1.0)
    registry.record(child, [CheckRow("finite", True, {"arrays": 3})], run_id="r2", seconds=2.0)
    assert registry.find(child.manifest.request_key) == child.digest
    assert registry.latest("kg/graph", "food") == child.digest
    assert registry.latest("kg/graph", None) == parent.digest
    assert registry.parents(child.digest) == {"graph": parent.digest}
    assert registry.checks(child.digest) == [CheckRow("finite", True, {"arrays": 3})]
    row = registry.artifact(child.digest)
    assert (row.run_id, row.seconds, row.environment) == ("r2", 2.0, environment_digest())


def test_asking_again_for_an_old_artifact_makes_it_the_latest(registry, artifact):
    old, new = artifact("old"), artifact("new")
    for a in (old, new, old):
        registry.record(a, [], run_id="r", seconds=0)
    assert registry.latest("kg/graph", None) == old.digest
    assert registry.count() == 2


def test_refused_work_is_on_record_without_an_artifact(registry):
    registry.record_failure("raw/events", "food", "k", [CheckRow("contract", False, {"rows": 4})], run_id="r")
    (failure,) = registry.failures("raw/events", "food")
    assert failure["name"] == "contract"
    assert failure["facts"] == {"rows": 4}
    assert registry.latest("raw/events", "food") is None


def test_versions_of_an_alias_have_no_gap_and_no_twin_under_concurrency(url):
    registry = Registry(url, timeout=30)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: registry.move_alias(Move("food", "live", f"d{n}", "r", "w")), range(40)))
    history = registry.alias_history("food")
    assert [row.version for row in history] == list(range(40, 0, -1))
    assert registry.alias("food").digest == history[0].digest


def test_moving_an_alias_to_where_it_is_changes_nothing(registry):
    first = registry.move_alias(Move("food", "live", "d", "r1", "w"))
    again = registry.move_alias(Move("food", "live", "d", "r2", "w"))
    assert first.version == again.version == 1
    assert len(registry.alias_history("food")) == 1


@of_sqlite
def test_a_lock_that_ends_in_time_is_waited_for(url, artifact):
    registry = Registry(url, timeout=10)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(1.0, lambda: other.execute("COMMIT"))
    release.start()
    began = time.monotonic()
    registry.record(artifact(), [], run_id="r", seconds=0)
    assert time.monotonic() - began >= 0.8
    assert registry.count() == 1
    release.join()
    other.close()


@of_sqlite
def test_a_lock_that_stays_gives_a_clear_error_and_loses_nothing(url, artifact):
    registry = Registry(url, timeout=0.5)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    made = artifact()
    with pytest.raises(RegistryError, match=r"registry\.db.*locked.*run again"):
        registry.record(made, [], run_id="r", seconds=0)
    other.execute("ROLLBACK")
    other.close()
    registry.record(made, [], run_id="r", seconds=0)
    assert registry.find(made.manifest.request_key) == made.digest


def test_platforms_that_share_a_database_do_not_see_each_other(url, artifact):
    city, mall = (Registry(url, platform=name) for name in ("city", "mall"))
    one, two = artifact("one"), artifact("two")
    city.record(one, [CheckRow("finite", True)], run_id="r", seconds=0)
    mall.record(two, [], run_id="r", seconds=0)
    mall.record(one, [], run_id="r", seconds=0)  # the same work has the same digest everywhere
    mall.record(two, [], run_id="r", seconds=0)
    assert (city.latest("kg/graph", None), mall.latest("kg/graph", None)) == (one.digest, two.digest)
    assert city.find(two.manifest.request_key) is None
    assert city.move_alias(Move("food", "live", "a", "r", "w")).version == 1
    assert mall.move_alias(Move("food", "live", "b", "r", "w")).version == 1
    assert city.alias("food").digest == "a"


@of_sqlite
def test_tables_that_somebody_changed_are_told_at_once(url):
    Registry(url)
    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        database.execute("ALTER TABLE checks DROP COLUMN kind")
    began = time.monotonic()
    with pytest.raises(RegistryError, match=r"lacks checks\.kind: somebody changed its tables"):
        Registry(url, timeout=30)
    assert time.monotonic() - began < 5


def test_a_password_never_reaches_a_message():
    with pytest.raises(RegistryError) as caught:
        Registry("postgresql://me:secret@127.0.0.1:1/none", timeout=0.2)
    assert "secret" not in str(caught.value)


def test_a_move_that_was_prepared_before_another_publishers_is_refused(registry):
    registry.move_alias(Move("food", "live", "a", "r", "w", after=0))
    with pytest.raises(MovedOn, match=r"at version 1 by now.*prepared at version 0") as told:
        registry.move_alias(Move("food", "live", "b", "r", "w", after=0))
    assert told.value.domain == "food"
    assert registry.move_alias(Move("food", "live", "b", "r", "w", after=1)).version == 2


def test_a_roll_back_is_a_further_version_that_says_who_and_why(registry):
    for digest in "ab":
        registry.move_alias(Move("food", "live", digest, "r", "w"))
    row = registry.move_alias(Move("food", "live", "a", "", "b ranks badly", action="rollback"))
    assert (row.version, row.digest, row.action, row.why) == (3, "a", "rollback", "b ranks badly")
    assert row.who
    assert row.created_at.tzinfo is not None
    assert [r.digest for r in registry.alias_history("food")] == ["a", "b", "a"]


def test_every_alias_of_a_platform_is_listed_where_it_points_now(url):
    city, mall = Registry(url, platform="city"), Registry(url, platform="mall")
    for registry, domain, alias, digest in [
        (city, "food", "live", "a"), (city, "food", "live", "b"),
        (city, "food", "canary", "c"), (mall, "food", "live", "d"),
    ]:  # fmt: skip
        registry.move_alias(Move(domain, alias, digest, "r", "w"))
    assert [(r.alias, r.version, r.digest) for r in city.all_aliases()] == [
        ("canary", 1, "c"),
        ("live", 2, "b"),
    ]
    assert {r.digest for r in city.all_aliases(every_platform=True)} == {"b", "c", "d"}


def test_decisions_are_kept_with_who_why_and_until_when(registry):
    until = datetime.now(UTC) + timedelta(days=2)
    registry.decide("food", "waiver", "m1", why="a launch", until=until)
    registry.decide("cafe", "pin", "s1", why="a lawsuit")
    pin, waiver = registry.decisions()
    assert (pin.kind, pin.subject, pin.why, pin.until, pin.holds()) == ("pin", "s1", "a lawsuit", None, True)
    assert waiver.until == until
    assert waiver.who
    assert waiver.holds()
    assert not waiver.holds(until)
    assert registry.decisions(domain="food") == [waiver]
    assert registry.decisions(kinds=("pin", "unpin")) == [pin]
