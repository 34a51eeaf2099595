"""Write, audit, publish: reuse what is there, refuse what is bad, rebuild what was lost."""

import errno
import os
import shutil

import pytest

from hier_dag.errors import SourceError
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.workshop import Built, Refused, Workshop
from hier_dag.registry import CheckRow, Registry
from hier_dag.store import ArtifactStore
from hier_dag.store.failures import StorageError
from tests.databases import registry_url
from tests.denied import denied


@pytest.fixture
def workshop(tmp_path):
    return Workshop(ArtifactStore(tmp_path / "store"), Registry(registry_url(tmp_path / "r.db")))


REQUEST = Request("raw/events", "food", "1", {"a": 1}, inputs=[{"location": "f", "sha256": "0", "bytes": 1}])


def build(_, staged, *, passed=True):
    (staged / "data").write_text("rows")
    return Built(summary={"rows": 1}, checks=[CheckRow("row_schema", passed, {"count": 3})])


def test_equal_requests_are_built_once(workshop):
    built = []

    def counting(request, staged):
        built.append(request)
        return build(request, staged)

    first = workshop.make(REQUEST, counting, run_id="r1")
    second = workshop.make(REQUEST, counting, run_id="r2")
    assert (first.reused, second.reused, len(built)) == (False, True, 1)
    assert first.artifact.digest == second.artifact.digest
    assert [c.name for c in second.checks] == ["contract", "row_schema"]


def test_a_failed_check_commits_nothing_and_is_on_record(workshop, tmp_path):
    with pytest.raises(Refused, match="row_schema failed: count = 3") as caught:
        workshop.make(REQUEST, lambda r, staged: build(r, staged, passed=False), run_id="r1")
    assert [(c.name, c.passed) for c in caught.value.checks] == [("contract", False), ("row_schema", False)]
    assert workshop.find(REQUEST) is None
    assert not list((tmp_path / "store" / "artifacts").rglob("data"))
    assert {f["name"] for f in workshop.registry.failures()} == {"contract", "row_schema"}


def test_an_error_while_building_keeps_its_place_and_fix(workshop):
    def broken(*_):
        raise SourceError("no such column.", domain="food", file="f.csv", column="uid", fix="rename it")

    with pytest.raises(Refused) as caught:
        workshop.make(REQUEST, broken, run_id="r1")
    assert (caught.value.file, caught.value.column, caught.value.fix) == ("f.csv", "uid", "rename it")


def test_a_lost_or_damaged_artifact_is_built_again_with_the_same_digest(workshop, tmp_path):
    first = workshop.make(REQUEST, build, run_id="r1")
    shutil.rmtree(first.artifact.path)
    fresh = Workshop(ArtifactStore(tmp_path / "store"), workshop.registry)
    again = fresh.make(REQUEST, build, run_id="r2")
    assert not again.reused
    assert again.artifact.digest == first.artifact.digest


@pytest.mark.parametrize("name", ["manifest.json", "data"])
def test_what_cannot_be_read_is_told_and_not_built_again(workshop, tmp_path, name):
    made = workshop.make(REQUEST, build, run_id="r1").artifact
    file, fresh = made.path / name, Workshop(ArtifactStore(tmp_path / "store"), workshop.registry)
    with denied(file):
        for ask in (
            lambda: fresh.find(REQUEST),
            lambda: fresh.make(REQUEST, build, run_id="r2"),
            lambda: fresh.open(REQUEST.kind, made.digest),
        ):
            with pytest.raises(StorageError, match="it cannot be read: Permission denied") as told:
                ask()
            assert (told.value.file, "its rights" in told.value.fix) == (str(file), True)
    assert fresh.make(REQUEST, build, run_id="r2").reused


def test_a_commit_that_the_registry_missed_is_recorded_by_the_next_run(workshop):
    staged_only = workshop.make(REQUEST, build, run_id="r1").artifact
    empty = Workshop(workshop.store, Registry("sqlite://"))
    outcome = empty.make(REQUEST, build, run_id="r2")
    assert outcome.artifact.digest == staged_only.digest
    assert empty.registry.find(REQUEST.key) == staged_only.digest


def test_an_artifact_that_time_has_overtaken_is_built_again(workshop):
    def build_until(instant):
        def build_it(_, staged):
            (staged / "data").write_text(instant)
            return Built(summary={"holds_until": instant})

        return build_it

    workshop.make(REQUEST, build_until("2000-01-01T00:00:00+00:00"), run_id="r1")
    assert workshop.find(REQUEST) is None
    assert not workshop.make(REQUEST, build_until("2999-01-01T00:00:00+00:00"), run_id="r2").reused
    assert workshop.make(REQUEST, build_until("2999-01-01T00:00:00+00:00"), run_id="r3").reused


def test_a_failed_check_says_its_own_remedy_and_an_advisory_one_does_not_block(workshop):
    def slow(_, staged):
        (staged / "data").write_text("x")
        return Built(checks=[CheckRow("fast", False)], remedies={"fast": "buy a bigger one"})

    with pytest.raises(Refused, match="Fix: buy a bigger one"):
        workshop.make(REQUEST, slow, run_id="r1")

    def advised(_, staged):
        (staged / "data").write_text("x")
        return Built(checks=[CheckRow("fast", False)], advisory=frozenset({"fast"}))

    assert CheckRow("fast", False) in workshop.make(REQUEST, advised, run_id="r2").checks


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("when", ["while it builds", "at the commit"])
def test_a_full_disk_fails_no_contract_and_the_same_again_succeeds(workshop, tmp_path, monkeypatch, when):
    with monkeypatch.context() as broken:
        if when == "at the commit":
            broken.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match=r"No space left on device \(free there") as caught:
            workshop.make(REQUEST, full if when == "while it builds" else build, run_id="r1")
    assert str(tmp_path / "store" / "staging") in caught.value.file
    assert workshop.registry.failures() == []
    assert workshop.find(REQUEST) is None
    assert not list((tmp_path / "store" / "staging").iterdir())
    assert not workshop.make(REQUEST, build, run_id="r2").reused
