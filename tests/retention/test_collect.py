"""A clean-up removes what it showed, beside publishers and readers at work, and may be killed itself."""

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from hier_dag.errors import RegistryError, StoreError
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.registry import Registry
from hier_dag.retention import collect as collecting
from hier_dag.retention.collected import collected
from hier_dag.store import ArtifactStore
from tests.databases import registry_url

KIND, DAY = "publish/embeddings", timedelta(days=1)


def staging(town):
    return sorted(p.name for p in (town.home.store / "staging").iterdir())


def test_what_the_plan_shows_is_removed_and_on_record_and_a_second_time_there_is_nothing(town):
    old, new = town.publish("old"), town.publish("new")
    assert set(town.why(keep=1)) == {old}
    assert town.there() == {old, new}  # looking changes nothing
    done = town.collect(keep=1)
    assert [g.artifact.digest for g in done.removed] == [old]
    assert town.there() == {new}
    assert staging(town) == []
    record = collected(town.registry, old)
    assert (record.domain, record.why) == ("cafe", f"superseded by {new[:12]}")
    assert record.who
    assert town.registry.artifact(old) is not None  # the registry's rows stay
    again = town.collect(keep=1)
    assert (again.removed, again.leftovers, again.freed) == ((), (), 0)


def test_files_that_artifacts_share_are_freed_with_the_last_of_them(town):
    old = town.commit("old")
    town.record(old)
    with town.store.stage("kg/graph") as staged:
        os.link(old.path / "f", staged / "f")
        town.record(town.store.commit(staged, old.manifest.model_copy(update={"code_version": "2"})))
    done = town.collect()
    assert done.freed == len(old.manifest.to_bytes())
    assert done.removed[0].bytes == 3


def test_a_registry_that_knows_nothing_of_the_store_is_refused(town, tmp_path):
    town.make("x")
    town.registry = Registry(registry_url(tmp_path / "other.db"), platform="town")
    with pytest.raises(RegistryError, match=r"knows none of the 1 artifacts.*HIER_REGISTRY"):
        town.collect()
    assert len(town.there()) == 1


def request(text):
    return Request("kg/graph", None, "1", {"text": text})


def build(request, staged):
    (staged / "f").write_text(request.params["text"])
    return Built()


def between(monkeypatch, name, work):
    """Does some work right before a step of the clean-up."""
    step = getattr(collecting, name)

    def worked(*arguments):
        monkeypatch.setattr(collecting, name, step)
        work()
        return step(*arguments)

    monkeypatch.setattr(collecting, name, worked)


def at_once(town):
    """A clean-up now, with a grace period that is over for all that was not used since `Town.age`."""
    return town.collect(timedelta(0), keep=1)


def outdated(town):
    """A workshop whose answer to `request("old")` is superseded and was not used for years."""
    workshop = Workshop(town.store, town.registry)
    old = workshop.make(request("old"), build, run_id="r").artifact
    workshop.make(request("new"), build, run_id="r")
    town.age()
    return workshop, old


def test_what_a_publisher_has_opened_to_use_it_again_stays_although_it_is_not_recorded_yet(town, monkeypatch):
    workshop, old = outdated(town)
    assert set(town.why(timedelta(0), keep=1)) == {old.digest}
    find = workshop.find
    monkeypatch.setattr(workshop, "find", lambda r: (find(r), at_once(town))[0])
    assert workshop.make(request("old"), build, run_id="r").reused
    assert town.store.open("kg/graph", old.digest).file("f").read_text() == "old"


def test_what_is_removed_right_before_a_publisher_opens_it_is_made_again(town, monkeypatch):
    workshop, old = outdated(town)
    find = Registry.find
    monkeypatch.setattr(Registry, "find", lambda *about: (find(*about), at_once(town))[0])
    outcome = workshop.make(request("old"), build, run_id="r")
    assert not outcome.reused
    assert outcome.artifact.digest == old.digest
    assert town.store.open("kg/graph", old.digest).file("f").read_text() == "old"


def test_publishers_and_clean_ups_at_the_same_time_lose_nothing(town):
    workshop, _ = outdated(town)
    removed = 0
    for turn in range(20):
        town.age()
        with ThreadPoolExecutor(2) as pool:
            made = pool.submit(workshop.make, request(("old", "new")[turn % 2]), build, run_id="r")
            removed += len(pool.submit(at_once, town).result().removed)
            artifact = made.result().artifact
        assert town.store.open("kg/graph", artifact.digest).file("f").read_text() == ("old", "new")[turn % 2]
        assert town.registry.latest("kg/graph", None) == artifact.digest
    assert removed


@pytest.mark.parametrize("recorded", [True, False])
def test_what_was_referred_to_while_it_was_taken_goes_back_with_all_that_it_was_made_from(
    town, monkeypatch, recorded
):
    graph = town.make("graph")
    old = town.commit("old", KIND, "cafe", [graph])
    if recorded:
        town.record(old)
    town.publish("new")
    town.make("graph 2")
    between(monkeypatch, "_looked_at_again", lambda: town.move(old.digest, alias="canary"))
    done = town.collect(keep=1)
    assert done.removed == ()
    assert {a.digest for a in done.given_back} == {old.digest, graph}
    assert town.store.open(KIND, old.digest).file("f").read_text() == "old"
    assert collected(town.registry, old.digest) is None
    assert staging(town) == []


def test_what_was_made_again_while_it_was_taken_is_there_in_whole(town, monkeypatch):
    old, _ = town.make("old"), town.make("new")
    between(monkeypatch, "_looked_at_again", lambda: town.record(town.commit("old")))
    town.collect()
    assert town.store.open("kg/graph", old).file("f").read_text() == "old"


def test_a_registry_that_fails_while_removals_are_recorded_leaves_the_rest_in_its_place(town, monkeypatch):
    old = [town.make(f"{n}") for n in range(3)]
    town.make("new")
    decide = Registry.decide
    told = []

    def once(self, *about, **words):
        if told:
            raise RegistryError("gone")
        told.append(about[2])
        return decide(self, *about, **words)

    monkeypatch.setattr(Registry, "decide", once)
    with pytest.raises(RegistryError):
        town.collect()
    assert town.there() & set(old) == set(old) - set(told)
    assert staging(town) == []


KILLED = """
import os, signal, sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from tests.retention.conftest import Town
from hier_dag.retention import collect
folder, step = Path(sys.argv[1]), sys.argv[2]
setattr(collect, step, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
Town(folder).collect(keep=1)
"""


@pytest.mark.parametrize("step", ["_looked_at_again", "freed"])
def test_a_clean_up_that_was_killed_is_gone_on_with_by_the_next(town, step, monkeypatch):
    old, new = town.publish("old"), town.publish("new")
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    process = subprocess.run([sys.executable, "-c", KILLED, str(town.folder), step])
    assert process.returncode == -signal.SIGKILL
    assert town.there() == {new}
    assert set(town.why(keep=1)) == {old}  # it lies in staging; nothing is lost yet
    town.move(old, alias="canary")
    done = town.collect(keep=1)
    assert town.there() == {old, new}
    assert done.removed == ()
    assert staging(town) == []


STAGES = """
import sys, time
from pathlib import Path
from hier_dag.store import ArtifactStore
with ArtifactStore(Path(sys.argv[1])).stage("kg/graph") as staged:
    (staged / "half").write_text("x" * 1000)
    print(staged, flush=True)
    time.sleep(60)
"""


def test_staging_of_a_living_process_is_never_touched_and_that_of_a_killed_one_goes_at_once(town):
    town.make("x")
    with subprocess.Popen(
        [sys.executable, "-c", STAGES, str(town.home.store)], stdout=subprocess.PIPE, text=True
    ) as process:
        staged = town.home.store / process.stdout.readline().strip()
        assert town.collect(365 * DAY).leftovers == ()
        assert (staged / "half").exists()
        process.kill()
    (left,) = town.plan(timedelta(0)).leftovers
    assert (left.path, left.bytes, left.why) == (staged, 1000, "its process has ended")
    assert town.collect(timedelta(0)).freed == 1000
    assert staging(town) == []


def test_staging_without_a_lock_goes_when_nothing_was_written_for_the_grace_period(town):
    """As earlier versions left it; a folder set aside as damaged is of no use to anybody."""
    town.make("x")
    for name in ("kg-graph-0", "damaged-0"):
        (town.home.store / "staging" / name / "deep").mkdir(parents=True)
    (town.home.store / "staging" / "kg-graph-1.lock").touch()
    assert {x.path.name for x in town.plan(timedelta(0)).leftovers} == {"damaged-0", "kg-graph-1.lock"}
    town.collect(2 * DAY)
    assert staging(town) == []


def test_temporary_files_of_ended_processes_go_and_locks_and_records_stay(town):
    town.make("x")
    records = town.home.live / "cafe" / "live"
    records.mkdir(parents=True)
    stay = [records / "000000000001.json", records / ".live.lock", town.home.live / ".cafe.lock"]
    go = [
        records / ".000000000002.json.abc",
        town.home.live / ".cafe.json.77.0123abcd.tmp",
        town.home.root.parent / ".last.json.77.0123abcd.tmp",
    ]
    for file in (*stay, *go):
        file.write_text("{}")
    assert town.plan(timedelta(hours=23)).leftovers == ()
    assert {x.path for x in town.collect(2 * DAY).leftovers} == set(go)
    assert not any(file.exists() for file in go)
    assert all(file.exists() for file in stay)


def test_a_link_in_the_store_is_neither_followed_nor_removed(town, tmp_path):
    outside = tmp_path / "outside"
    shutil.copytree(town.commit("outside").path, outside)
    town.make("x")
    link = town.home.store / "artifacts" / "kg" / "graph" / ("e" * 64)
    link.symlink_to(outside)
    town.collect()
    assert link.is_symlink()
    assert json.loads((outside / "manifest.json").read_text())["kind"] == "kg/graph"


def test_a_reader_never_sees_half_of_an_artifact(town, monkeypatch):
    old = town.make("old")
    town.make("new")
    seen = []
    between(
        monkeypatch, "_looked_at_again", lambda: seen.append(town.store.path_of("kg/graph", old).exists())
    )
    town.collect()
    assert seen == [False]
    with pytest.raises(StoreError, match="not in the store"):
        ArtifactStore(town.home.store).open("kg/graph", old)
