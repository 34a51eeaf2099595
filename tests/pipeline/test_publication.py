"""Going live by hand-made sets: copies, named aliases, publishers side by side, and what a rerun mends."""

from dataclasses import replace

import fsspec
import pyarrow.fs as pafs
import pytest

from benchmarks.faults.published_sets import DOMAIN, Site
from hier_dag.errors import MovedOn, StoreError
from hier_dag.pipeline.publication import go_live, is_in_force, roll_back
from hier_dag.pipeline.workshop import Refused
from hier_dag.publish.reader import open_set


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path / "home")


def publish(workshop, site, mark, *, change="breaking", before=lambda: None, **policy):
    """Publishes the set of a mark; `before` is called as the comparison is asked for."""

    def compare(new, live):
        before()
        return ("first" if live is None else change), {"residual": 1.3}

    made, policy = site.make(workshop, mark), replace(site.policy(), **policy)
    facts = {"latency": made.checks[-1].facts}
    return go_live(workshop, made.artifact, policy, compare, run_id="r", why="w", facts=facts)


@pytest.mark.parametrize("kind", ["folder", "object store"])
def test_a_copy_answers_as_the_home_does_and_follows_it(site, tmp_path, kind):
    if kind == "folder":
        place, filesystem = str(tmp_path / "copy"), None
    else:
        place = f"memory://{tmp_path.name}"
        filesystem = pafs.PyFileSystem(pafs.FSSpecHandler(fsspec.filesystem("memory")))
    workshop = site.workshop()
    policy = replace(site.policy(), copies=(place,))

    def copied():
        root = place if filesystem is None else f"/{tmp_path.name}"
        return open_set(root, DOMAIN, filesystem=filesystem, cache=tmp_path / "cache")

    for version, mark in enumerate((1, 2), 1):
        publish(workshop, site, mark, copies=(place,))
        assert (copied().version, copied().facts["mark"]) == (version, mark)
        assert copied().recommend("u0003", 5) == open_set(site.home, DOMAIN).recommend("u0003", 5)
    roll_back(workshop, policy, DOMAIN, to=None, why="w")
    assert (copied().version, copied().facts["mark"]) == (3, 1)


def test_a_place_that_is_declared_later_gets_what_is_live(site, tmp_path):
    workshop, place = site.workshop(), str(tmp_path / "later")
    publish(workshop, site, 1)
    live = workshop.open("publish/embeddings", publish(workshop, site, 2).row.digest)
    policy = replace(site.policy(), copies=(place,))
    assert not is_in_force(workshop, policy, live)
    publish(workshop, site, 2, copies=(place,))
    assert is_in_force(workshop, policy, live)
    assert open_set(place, DOMAIN).version == 2


def test_a_named_alias_moves_by_itself(site):
    workshop = site.workshop()
    publish(workshop, site, 1)
    publish(workshop, site, 2, alias="canary")
    assert open_set(site.home, DOMAIN).facts["mark"] == 1
    assert open_set(site.home, DOMAIN, "canary").facts["mark"] == 2


def test_who_comes_second_is_compared_with_what_came_first(site):
    workshop, seen = site.workshop(), []
    publish(workshop, site, 1)

    def somebody_else_publishes():
        seen.append(workshop.registry.alias(DOMAIN).version)
        if len(seen) == 1:
            site.publish(site.workshop(), 2)

    row = publish(workshop, site, 3, before=somebody_else_publishes).row
    assert seen == [1, 2]
    assert [r.version for r in workshop.registry.alias_history(DOMAIN)] == [3, 2, 1]
    assert (row.version, open_set(site.home, DOMAIN).facts["mark"]) == (3, 3)


def test_publishers_without_end_are_an_error_and_not_a_wait(site):
    workshop, marks = site.workshop(), iter(range(100, 200))
    publish(workshop, site, 1)
    with pytest.raises(MovedOn, match="at version 21 by now"):
        publish(workshop, site, 2, before=lambda: site.publish(site.workshop(), next(marks)))


def test_a_set_that_a_gate_refuses_stays_in_the_store_and_on_record(site):
    workshop = site.workshop()
    publish(workshop, site, 1)
    with pytest.raises(Refused, match="another space") as told:
        publish(workshop, site, 2, breaking_blocks=True)
    assert "hier approve" in told.value.fix
    assert [c.passed for c in told.value.checks] == [True, False]
    digest = workshop.registry.latest("publish/embeddings", DOMAIN)
    assert workshop.open("publish/embeddings", digest).json("set.json")["mark"] == 2
    (failed,) = [c for c in workshop.registry.checks(digest) if not c.passed]
    assert (failed.name, failed.facts["residual"]) == ("space_contract", 1.3)
    assert open_set(site.home, DOMAIN).version == 1


def test_a_record_says_what_was_measured(site):
    workshop = site.workshop()
    publish(workshop, site, 1)
    record = open_set(site.home, DOMAIN).record
    assert record.facts["latency"]["p50_ms"] > 0
    assert (record.change, record.why, record.action) == ("first", "w", "publish")


def test_after_the_registry_was_lost_numbers_go_on_and_readers_follow(site):
    workshop = site.workshop()
    for mark in (1, 2, 3):
        publish(workshop, site, mark)
    (site.home / "registry.db").unlink()
    workshop, compared = site.workshop(), []

    def compare(new, live):
        compared.append(live.json("set.json")["mark"])
        return "breaking", {}

    made = site.make(workshop, 4)
    row = go_live(workshop, made.artifact, site.policy(), compare, run_id="r", why="w", facts={}).row
    assert (row.version, open_set(site.home, DOMAIN).facts["mark"]) == (4, 4)
    assert compared == [3], "it is compared with what readers have"
    publish(workshop, site, 5)
    row, old = roll_back(workshop, site.policy(), DOMAIN, to=None, why="w")
    assert (row.version, old.version, open_set(site.home, DOMAIN).facts["mark"]) == (6, 4, 4)


def test_a_copy_that_another_platform_publishes_to_is_refused_before_anything_moves(site, tmp_path):
    place, other = str(tmp_path / "shared"), Site(tmp_path / "other")
    publish(site.workshop(), site, 1, copies=(place,))
    workshop = other.workshop()
    publish(workshop, other, 2)
    with pytest.raises(StoreError, match="is another one here"):
        publish(workshop, other, 3, copies=(place,))
    assert workshop.registry.alias(DOMAIN).version == 1
    assert open_set(place, DOMAIN).facts["mark"] == 1


@pytest.mark.parametrize("why", ["x" * 70_000, "\udcff"])
def test_a_move_that_no_record_can_tell_of_is_not_made(site, why):
    workshop = site.workshop()
    for mark in (1, 2):
        publish(workshop, site, mark)
    with pytest.raises(StoreError):
        roll_back(workshop, site.policy(), DOMAIN, to=None, why=why)
    assert workshop.registry.alias(DOMAIN).version == 2
    roll_back(workshop, site.policy(), DOMAIN, to=None, why="w")
    assert open_set(site.home, DOMAIN).version == 3


def test_a_place_that_cannot_be_told_keeps_nobody_else_from_it(site, tmp_path):
    workshop, good = site.workshop(), str(tmp_path / "good")
    for mark in (1, 2):
        publish(workshop, site, mark, copies=(good,))
    (tmp_path / "bad").write_text("a file, no folder")
    policy = replace(site.policy(), copies=(str(tmp_path / "bad"), good))
    with pytest.raises(StoreError, match="version 3 of live is in force, but not everybody was told") as told:
        roll_back(workshop, policy, DOMAIN, to=None, why="w")
    assert "hier run" in told.value.fix
    assert [open_set(root, DOMAIN).version for root in (site.home, good)] == [3, 3]


def test_a_damaged_live_set_is_no_other_space(site):
    workshop = site.workshop()
    live = publish(workshop, site, 1).row.digest
    path = workshop.open("publish/embeddings", live).file("users.parquet")
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"live set \(version 1\) is not whole") as told:
        publish(site.workshop(), site, 2)
    assert "hier rollback" in told.value.fix
