"""`hier audit reconcile`: what differs between store, registry and version records, and what is done."""

import json
import shutil
import threading
import time
from pathlib import Path

import pytest

from hier_dag.errors import RegistryError
from hier_dag.pipeline.stages import EVENTS, PUBLISHED
from hier_dag.pipeline.workshop import Workshop
from hier_dag.reconcile import presence
from hier_dag.registry import Registry
from hier_dag.registry.decisions import COLLECTED
from hier_dag.store import Manifest
from tests.pipeline.test_outbox import REQUEST, build, locked, unrecorded


@pytest.fixture
def told(hier, own):
    def ask(*options):
        answer = hier("audit", "reconcile", "--domains", own.domains, "--json", *options)
        return answer.code, json.loads(answer.out)

    return ask


def test_a_finished_platform_agrees(told):
    code, found = told()
    assert (code, found["agree"], found["taken"], found["missing"], found["differences"]) == (
        0,
        True,
        [],
        [],
        [],
    )


def test_what_a_run_committed_and_could_not_record_is_recorded(told, own):
    digest = unrecorded(own.store, own.registry)
    code, found = told()
    assert (code, [(t["outcome"], t["digest"]) for t in found["taken"]]) == (0, [("adopted", digest)])
    assert own.registry.find(REQUEST.key) == digest


def test_a_process_that_is_about_to_record_what_it_committed_is_no_difference(own):
    seen = []
    hasty = Workshop(own.store, Registry(own.registry.url, 1, platform=own.registry.platform))

    def look():
        while not list(own.store.root.glob(f"artifacts/{REQUEST.kind}/*/data")):
            time.sleep(0.01)
        seen.append(presence.compare(own.store.root, own.registry))

    other = threading.Thread(target=look)
    other.start()
    with locked(own.registry), pytest.raises(RegistryError):
        hasty.make(REQUEST, build, run_id="r1")
    other.join()
    assert (seen[0].unrecorded, seen[0].pending) == ((), ())
    after = presence.compare(own.store.root, own.registry)
    assert (len(after.unrecorded), len(after.pending)) == (0, 1)


def test_an_artifact_that_nothing_vouches_for_is_left_to_gc(told, own):
    with own.store.stage("raw/events") as staged:
        (staged / "data").write_text("x")
        manifest = Manifest(kind="raw/events", request_key="0" * 64, code_version="1", params={})
        path = own.store.commit(staged, manifest).path
    code, found = told()
    assert (code, found["unrecorded"]) == (0, [str(path)])
    assert path.exists()


def test_a_row_whose_artifact_is_gone_is_told_until_somebody_says_that_it_is_lost(told, own, hier):
    events, live = (
        own.latest(EVENTS, "recipes"),
        own.registry.alias(_target(own)).digest,
    )
    shutil.rmtree(events.path)
    shutil.rmtree(own.store.path_of(PUBLISHED, live))
    code, found = told()
    assert code == 1
    assert {row["digest"] for row in found["missing"]} == {events.digest, live}
    answer = hier("audit", "reconcile", "--domains", own.domains)
    assert answer.code == 1
    assert f"raw/events[recipes] {events.digest[:12]}" in answer.out
    code, found = told("--lost", "--why", "the disk of May")
    assert code == 1, "what an alias names is never given up"
    assert [row["digest"] for row in found["missing"]] == [live]
    (decision,) = own.registry.decisions(kinds=(COLLECTED,))
    assert (decision.subject, decision.why) == (events.digest, "lost: the disk of May")


def test_what_was_made_again_and_is_lost_again_is_told_again(own):
    registry, root = own.registry, own.home.store
    events = own.latest(EVENTS, "recipes")
    registry.decide("recipes", COLLECTED, events.digest, why="a clean-up")
    registry.record(events, [], run_id="r", seconds=0)
    shutil.rmtree(events.path)
    assert [row.digest for row in presence.compare(root, registry).missing] == [events.digest]


def test_a_clean_up_at_work_has_it_in_its_hands(own):
    events = own.latest(EVENTS, "recipes")
    place = own.home.store / "staging" / "gc-1" / EVENTS / events.digest
    place.parent.mkdir(parents=True)
    events.path.rename(place)
    assert presence.compare(own.home.store, own.registry).missing == ()


def test_a_set_that_a_copy_has_is_not_missing(own, tmp_path):
    digest = own.registry.alias(_target(own)).digest
    folder = own.store.path_of(PUBLISHED, digest)
    shutil.move(folder, tmp_path / "copy" / folder.relative_to(own.home.root))
    found = presence.compare(own.home.store, own.registry, [str(tmp_path / "copy"), str(tmp_path / "none")])
    assert (found.missing, found.elsewhere) == ((), (digest,))


def test_version_records_that_differ_are_told_by_file(told, own):
    domain = _target(own)
    gone, foreign = own.record(domain), own.home.live / "elsewhere" / "live" / "000000000007.json"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(gone.read_bytes())
    gone.unlink()
    code, found = told()
    assert code == 1
    files = {Path(d["file"]): d["found"] for d in found["differences"]}
    assert files[gone] == "no record"
    assert "version 1 of live" in files[foreign]


def test_a_reason_without_lost_is_refused(hier, own):
    assert hier("audit", "reconcile", "--domains", own.domains, "--why", "x").code == 2


def _target(own):
    return own.config.target_names[0]
