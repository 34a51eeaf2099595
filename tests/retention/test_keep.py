"""What stays: each reason alone keeps an artifact, and all that it was made from."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from hier_dag.registry import Move, Registry
from hier_dag.retention.plan import ORPHAN

LATER, KIND, DAY = timedelta(days=30), "publish/embeddings", timedelta(days=1)


def test_what_was_superseded_goes_and_says_by_what(town):
    old, new = town.make("old"), town.make("new")
    assert town.why() == {old: f"superseded by {new[:12]}"}


def test_the_live_set_stays_with_all_that_it_was_made_from(town):
    graph = town.make("graph")
    model = town.make("model", "finetune/model", "cafe", [graph])
    town.publish("set", parents=[model])
    town.make("graph 2")
    town.make("model 2", "finetune/model", "cafe")
    town.make("set 2", KIND, "cafe")  # refused by its gate, so not live
    assert town.why() == {}


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_the_newest_sets_of_each_alias_stay_for_a_roll_back(town, keep):
    sets = [town.publish(f"set {n}") for n in range(5)]
    assert set(town.why(keep=keep)) == set(sets[: 5 - keep])


def test_a_set_that_an_alias_came_back_to_counts_once(town):
    a, b, c = (town.publish(text) for text in "abc")
    town.move(b, action="rollback")
    town.move(c, action="rollback")
    assert set(town.why(keep=2)) == {a}


def test_an_alias_of_another_name_keeps_its_sets_too(town):
    canary = town.publish("canary", alias="canary")
    for n in range(4):
        town.publish(f"set {n}")
    assert canary not in town.why()


def test_an_alias_of_another_platform_in_the_same_registry_keeps_its_set(town):
    sets = [town.publish(f"set {n}") for n in range(2)]
    other = Registry(town.registry.url, platform="city")
    other.move_alias(Move("bar", "live", sets[0], "r", "w"))
    assert town.why(keep=1) == {}


def test_a_pinned_set_stays_until_the_pin_ends_or_is_taken_back(town):
    first, _ = town.publish("first"), town.publish("second")
    until = datetime.now(UTC) + 40 * DAY
    town.registry.decide("cafe", "pin", first, why="a lawsuit", until=until)
    assert town.why(30 * DAY, keep=1) == {}
    assert set(town.why(41 * DAY, keep=1)) == {first}
    town.registry.decide("cafe", "pin", first, why="for good")
    assert town.why(41 * DAY, keep=1) == {}
    town.registry.decide("cafe", "unpin", first, why="settled")
    assert set(town.why(30 * DAY, keep=1)) == {first}


def test_another_platforms_unpin_does_not_take_a_pin_back(town):
    first, _ = town.publish("first"), town.publish("second")
    town.registry.decide("cafe", "pin", first, why="a lawsuit")
    Registry(town.registry.url, platform="city").decide("cafe", "unpin", first, why="not ours")
    assert town.why(keep=1) == {}


def test_what_was_used_within_the_grace_period_stays(town):
    old, _ = town.make("old"), town.make("new")
    assert town.why(timedelta(hours=23)) == {}
    assert set(town.why(timedelta(hours=25))) == {old}
    assert set(town.why(timedelta(hours=1), grace=timedelta(0))) == {old}


def test_a_set_that_an_alias_left_stays_for_its_readers(town):
    """However long ago it was made: the grace period counts from when it was superseded."""
    oldest, old = town.publish("oldest"), town.publish("old")
    town.age()
    town.publish("new")
    assert set(town.why(timedelta(hours=23), keep=1)) == {oldest}
    assert set(town.why(timedelta(hours=25), keep=1)) == {oldest, old}


def test_asking_again_for_an_old_artifact_keeps_it_as_the_newest(town):
    first = town.commit("first")
    town.record(first)
    second = town.make("second")
    town.record(first)
    assert set(town.why()) == {second}


def test_an_artifact_of_a_crash_before_its_record_goes_after_the_grace_period(town):
    town.make("recorded")
    orphan = town.commit("orphan").digest
    assert town.why(timedelta(hours=23)) == {}
    assert town.why(timedelta(hours=25)) == {orphan: ORPHAN}


def test_what_an_orphan_of_today_was_made_from_stays_with_it(town):
    """Its parents are in its manifest alone."""
    graph, _ = town.make("graph"), town.make("graph 2")
    encoder = town.commit("encoder", "pretrain/encoder", None, [graph])
    assert set(town.why()) == {graph, encoder.digest}
    in_a_month = (datetime.now(UTC) + LATER).timestamp()
    os.utime(encoder.path, (in_a_month, in_a_month))
    assert town.why() == {}


def test_answers_for_a_domain_that_is_not_declared_any_more_go(town):
    events = town.make("events", "raw/events", "bar")
    assert town.why() == {events: "its domain or cell is not declared any more"}


def test_answers_of_a_kind_that_this_version_does_not_know_stay(town):
    town.make("x", "raw/weather", "bar")
    assert town.why() == {}


def test_results_that_studies_share_stay_as_long_as_their_graph(town):
    graph = town.make("graph")
    result = town.make("figures", "study/result", "0123", [graph])
    assert town.why() == {}
    town.make("graph 2")
    assert town.why() == {graph: town.why()[graph], result: "its graph does not stay"}


def test_cells_of_studies_that_are_declared_stay_and_others_go(town):
    town.make("a", "study/ablation", "default_s0")
    other = town.make("b", "study/ablation", "default_s77")
    assert set(town.why()) == {other}


def test_a_set_that_an_alias_file_names_stays_whatever_the_registry_says(town):
    sets = [town.publish(f"set {n}") for n in range(3)]
    folder = town.home.live / "cafe" / "live"
    folder.mkdir(parents=True)
    for version, digest in enumerate(sets[:2], start=1):
        (folder / f"{version:012}.json").write_text(json.dumps({"version": version, "digest": digest}))
    assert set(town.why(keep=1)) == {sets[0]}
    (folder / "000000000003.json").write_text("torn")
    assert set(town.why(keep=1)) == {sets[0]}


def test_work_in_progress_keeps_what_it_was_handed_however_long_it_takes(town):
    old, _ = town.make("old"), town.make("new")
    with town.store.stage("pretrain/encoder"):
        assert town.why() == {}
    assert set(town.why()) == {old}
