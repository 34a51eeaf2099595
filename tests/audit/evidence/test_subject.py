"""Versions, their dates, their differences and their events, on a platform made by hand."""

import json
from dataclasses import replace

import pytest

from hier_dag.audit.evidence.checks import figures
from hier_dag.audit.evidence.dates import approvals, erasures, live_dates, reproductions
from hier_dag.audit.evidence.events import events
from hier_dag.audit.evidence.made_of import made_of
from hier_dag.audit.evidence.subject import subject_of
from hier_dag.errors import StoreError
from hier_dag.lineage.records import known
from hier_dag.registry import CheckRow
from hier_dag.registry.chain import hash_of
from tests.retention.conftest import Town


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path)


def about(town, version=None):
    return subject_of(town.store, town.registry, "town", "cafe", version)


def test_a_version_is_live_until_the_next_one(town):
    for text in ("one", "two", "three"):
        town.publish(text)
    newest, middle, oldest = live_dates(about(town).history)
    assert (newest["version"], newest["until"]) == (3, None)
    assert middle["until"] == newest["from"]
    assert oldest["until"] == middle["from"]
    assert about(town).live_now
    assert not about(town, 2).live_now
    assert about(town, 2).before.version == 1
    assert about(town, 1).before is None


def test_decisions_and_erasures_of_the_domain_are_told_those_of_others_are_not(town):
    town.publish("one")
    town.registry.decide("cafe", "waiver", "*", why="a test")
    town.registry.decide("bar", "waiver", "*", why="another domain's")
    town.registry.decide("cafe", "erasure", "receipt-2", why="asked for")
    town.registry.decide("", "erasure", "receipt-1", why="asked for")
    town.registry.decide("bar", "erasure", "receipt-3", why="asked for")
    digest = about(town).row.digest
    town.registry.decide("cafe", "certificate", digest, why="made again", facts={"same": True, "host": "h"})
    town.registry.decide("cafe", "certificate", "f" * 64, why="another artifact's")
    (again,) = reproductions(town.registry, [digest])
    assert (again["why"], again["facts"]) == ("made again", {"same": True})
    assert [d["why"] for d in approvals(town.registry, "cafe")] == ["a test"]
    assert erasures(town.registry, about(town).domains) == {
        "count": 2,
        "receipts": ["receipt-1", "receipt-2"],
    }


def test_events_are_those_behind_the_set_and_match_their_hashes(town):
    graph = town.make("graph")
    town.make("of no account")
    town.publish("set of another domain", domain="bar")
    digest = town.publish("set", parents=[graph])
    lines = events(town.registry, "cafe", about(town).made)
    assert all(hash_of(line["entry"]) == line["hash"] for line in lines)
    told = [json.loads(line["entry"]) for line in lines]
    assert {e["body"]["digest"] for e in told if e["kind"] == "artifact"} == {graph, digest}
    assert [e["body"]["domain"] for e in told if e["kind"] == "alias"] == ["cafe"]
    assert [line["seq"] for line in lines] == sorted(line["seq"] for line in lines)


def test_a_set_whose_raw_artifacts_are_gone_is_still_told_from_the_registry(town):
    graph = town.make("graph")
    town.publish("set", parents=[graph])
    folder = town.store.path_of("kg/graph", graph)
    (folder / "f").chmod(0o644)
    (folder / "f").write_text("grapf")
    damaged = about(town).graph
    with pytest.raises(StoreError, match="does not match its digest"):
        damaged.file("f")
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    gone = about(town).graph
    assert (gone.artifact, gone.file("f"), gone.row.digest) == (None, None, graph)


def test_facts_of_checks_tell_figures_and_no_rows():
    facts = {
        "message": "fine", "user": "u1", "missing_ids": ["u1", "u2"], "share": 0.5, "ok": True,
        "inner": {"rows": [{"id": "u1"}], "n": 3, "id": "u1"}, "empty": {"id": "u1"},
    }  # fmt: skip
    assert figures(facts) == {
        "message": "fine", "missing_ids": 2, "share": 0.5, "ok": True, "inner": {"rows": 1, "n": 3},
    }  # fmt: skip


def test_the_set_that_began_the_space_is_no_part_of_what_a_later_one_was_made_of(town):
    old, new = town.make("old graph"), town.make("new graph")
    first = town.publish("first", parents=[old])
    with town.store.stage("publish/embeddings") as staged:
        (staged / "f").write_text("second")
        manifest = town.store.open("publish/embeddings", first).manifest.model_copy(
            update={"parents": {"graph": new, "anchor": first}}
        )
        second = town.store.commit(staged, manifest)
    town.record(second)
    town.move(second.digest)
    assert [m.row.digest for m in about(town).made] == [second.digest, new]


def test_a_set_that_is_on_no_record_is_refused(town):
    with pytest.raises(StoreError, match="does not know artifact 000000000000"):
        made_of(town.store, town.registry, "0" * 64)


def test_a_manifest_that_does_not_match_its_digest_is_refused(town, monkeypatch):
    town.publish("one")

    def changed(s, digests):
        return {
            d: replace(row, manifest={**row.manifest, "seeds": [7]}) for d, row in known(s, digests).items()
        }

    monkeypatch.setattr("hier_dag.audit.evidence.made_of.known", changed)
    with pytest.raises(StoreError, match="another manifest"):
        about(town).made  # noqa: B018


def test_checks_come_with_their_artifact_and_their_facts_oldest_first(town):
    town.publish("one")
    digest = about(town).row.digest
    artifact = town.store.open("publish/embeddings", digest)
    told = [CheckRow("finite", True, {"rows": 3}), CheckRow("norms", False, {"longest": 9})]
    town.registry.note_checks(artifact, told, run_id="r")
    found = about(town).checks
    assert [check for one, check in found if one.row.digest == digest][-2:] == told
    assert [check for one, check in found if one.row.digest == digest] == town.registry.checks(digest)
