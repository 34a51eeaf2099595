"""Sets go at copies by the rules that hold at home; what is in force there, or on no record, stays."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import fsspec
import pytest

from hier_dag.publish.aliases import AliasRecords, record_of
from hier_dag.publish.mirror import copy_set
from hier_dag.publish.reader.layout import SETS
from hier_dag.registry import Move
from hier_dag.retention import collect as collecting
from hier_dag.retention.collected import collected

KIND = "publish/embeddings"


@pytest.fixture(params=["folder", "object store"])
def place(request, town, tmp_path):
    """A declared copy."""
    place = str(tmp_path / "copy") if request.param == "folder" else f"memory://{tmp_path.name}"
    text = town.declaration.read_text()
    town.declaration.write_text(f"{text}stages: {{publish: {{copies: ['{place}']}}}}\n")
    yield place
    memory = fsspec.filesystem("memory")
    if memory.exists(f"/{tmp_path.name}"):
        memory.rm(f"/{tmp_path.name}", recursive=True)


def publish(town, place, text):
    """A set that goes live at home and at the copy."""
    digest = town.make(text, KIND, "cafe")
    town.registry.move_alias(Move("cafe", "live", digest, "r", "w", change="first", space="0" * 16))
    tell(town, place)
    return digest


def tell(town, place):
    history = town.registry.alias_history("cafe")
    copy_set(town.store.open(KIND, history[0].digest), place)
    AliasRecords(place).catch_up(history[:1])


def there(place):
    fs, root = fsspec.core.url_to_fs(place)
    folder = f"{root}/{SETS}"
    return {name.rsplit("/", 1)[1] for name in fs.ls(folder, detail=False)} if fs.exists(folder) else set()


def going(town, **rules):
    return {g.digest: g.why for g in town.plan(**rules).at_copies.going}


def test_what_the_rules_keep_no_longer_goes_and_is_on_record(town, place):
    old, before, live = (publish(town, place, text) for text in ("old", "before", "live"))
    assert going(town, keep=2) == {old: f"superseded by {live[:12]}"}
    assert there(place) == {old, before, live}  # looking changes nothing
    done = town.collect(keep=2)
    assert [(g.place, g.digest, g.partition) for g in done.at_copies.going] == [(place, old, "cafe")]
    assert there(place) == town.there() == {before, live}
    assert any(place in d.why for d in town.registry.decisions(kinds=("collected",)))
    assert collected(town.registry, old) is not None
    assert town.collect(keep=2).at_copies.going == ()


def test_a_set_that_is_at_the_copy_alone_goes_and_stays_by_the_same_rules(town, place):
    old, live = publish(town, place, "old"), publish(town, place, "live")
    shutil.rmtree(town.home.store / "artifacts" / KIND / old)
    assert going(town, keep=2) == {}
    assert set(going(town, keep=1)) == {old}
    town.registry.decide("cafe", "pin", old, why="audit")
    assert going(town, keep=1) == {}
    assert there(place) == {old, live}


def test_what_was_used_within_the_grace_period_stays(town, place):
    publish(town, place, "old")
    publish(town, place, "live")
    assert going(town, later=timedelta(hours=1), keep=1) == {}
    assert len(going(town, keep=1)) == 1


def test_a_set_that_no_record_knows_stays(town, place):
    publish(town, place, "live")
    other = town.commit("of another platform", KIND, "bar")
    copy_set(other, place)
    town.collect(keep=1)
    assert other.digest in there(place)


def test_what_readers_of_the_copy_follow_stays_though_the_registry_forgot(town, place):
    """The registry was restored from a backup that is older than the last roll-back."""
    old = publish(town, place, "old")
    live = publish(town, place, "live")
    row = town.registry.alias("cafe")
    AliasRecords(place).write(record_of(replace(row, version=3, digest=old, action="rollback")))
    town.collect(keep=1)
    assert there(place) == {old, live}


def test_a_set_that_an_alias_comes_back_to_meanwhile_is_copied_again(town, place, monkeypatch):
    old, live = publish(town, place, "old"), publish(town, place, "live")
    remove = collecting.remove_at_copy

    def then_somebody_rolls_back(gone):
        remove(gone)
        assert there(place) == {live}
        town.commit("old", KIND, "cafe")  # brought back from a backup
        town.move(old, action="rollback")

    monkeypatch.setattr(collecting, "remove_at_copy", then_somebody_rolls_back)
    done = town.collect(keep=1)
    assert done.at_copies.going == ()
    assert there(place) == {old, live}


def test_a_place_that_cannot_be_asked_is_told_and_keeps_nothing_else_from_going(town, place):
    old = publish(town, place, "old")
    publish(town, place, "live")
    text = town.declaration.read_text()
    town.declaration.write_text(text.replace("copies: [", "copies: ['nowhere://x', "))
    done = town.collect(keep=1)
    assert [g.digest for g in done.at_copies.going] == [old]
    (told,) = done.at_copies.unreached
    assert told.startswith("nowhere://x: ")


def test_what_a_killed_clean_up_leaves_at_a_folder_goes_with_the_next(town, place, monkeypatch):
    if "://" in place:
        pytest.skip("an object store has no staging")
    old = publish(town, place, "old")
    publish(town, place, "live")
    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", lambda *_, **__: None)
        town.collect(keep=1)
    left = [p for p in Path(place, "store", "staging").iterdir() if p.is_dir()]
    assert [p.name for folder in left for p in folder.iterdir()] == [old]
    town.collect(keep=1)
    assert not list(Path(place, "store", "staging").iterdir())
