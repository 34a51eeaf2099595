"""`hier audit verify` and `reconcile` look at where artifacts lie: kinds, links, strangers at every level."""

import json
import shutil

import pytest

from hier_dag.audit.verify import verify
from hier_dag.pipeline.stages import GRAPH
from hier_dag.reconcile import presence


@pytest.fixture
def reconciled(hier, own):
    def ask(*options):
        answer = hier("audit", "reconcile", "--domains", own.domains, "--json", *options)
        return answer.code, json.loads(answer.out)

    return ask


def verified(own, **how):
    return verify(own.home.root, own.home.store, own.registry, **how)


def test_an_artifact_under_another_kind_is_not_taken_for_one_that_is_there(own, reconciled):
    events = own.latest("raw/events", "grocery").path
    elsewhere = events.parents[1] / "zzz" / events.name
    elsewhere.parent.mkdir()
    events.rename(elsewhere)
    found = verified(own)
    told = {p.what: p for p in found.problems if p.what in ("lost", "manifest")}
    assert told["lost"].file == str(events)
    assert told["manifest"].file == str(elsewhere)
    assert str(events) in told["manifest"].fix
    assert "orphan" not in {p.what for p in found.problems}
    assert len(found.not_asked) == len(set(found.not_asked))
    code, told = reconciled()
    assert (code, told["agree"], told["misplaced"]) == (1, False, [str(elsewhere)])
    assert [row["digest"] for row in told["missing"]] == [events.name]


@pytest.mark.parametrize("level", ["artifacts", "group", "kind"])
def test_a_folder_that_leads_out_of_the_store_is_told_and_what_lies_there_is_not_there(
    own, reconciled, tmp_path, level
):
    graph = own.latest(GRAPH).path
    folder = {"artifacts": graph.parents[2], "group": graph.parents[1], "kind": graph.parent}[level]
    shutil.move(folder, tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    found = verified(own, fast=True).problems
    assert [p.file for p in found if p.what == "stranger"] == [str(folder)]
    assert str(graph) in {p.file for p in found if p.what == "lost"}
    code, told = reconciled()
    assert code == 1
    assert graph.name in {row["digest"] for row in told["missing"]}


def test_a_store_that_lies_on_another_disk_is_sound(own, tmp_path):
    shutil.move(own.home.store, tmp_path / "disk")
    own.home.store.symlink_to(tmp_path / "disk")
    assert verified(own, fast=True).problems == []
    assert presence.compare(own.home.store, own.registry).missing == ()


def test_strangers_are_told_at_every_level(own):
    root, graph = own.home.store / "artifacts", own.latest(GRAPH).path
    strangers = {root / "x", root / "kg" / "x", graph.parent / "x", graph / "x"}
    folders = {root / "Bad Name", root / "kg" / "-"}
    for path in strangers:
        path.touch()
    for path in folders:
        path.mkdir()
    found = verified(own, fast=True).problems
    assert {(p.what, p.file) for p in found} == {("stranger", str(p)) for p in strangers | folders}
