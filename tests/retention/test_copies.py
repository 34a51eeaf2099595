"""A clean-up takes what ended processes left at copies in folders, and leaves the copies themselves."""

import threading
from datetime import timedelta

import pytest

from hier_dag.publish.aliases import AliasRecords
from hier_dag.publish.mirror import copy_set
from hier_dag.registry import Move
from hier_dag.store.staging import staged_folder


def test_what_ended_processes_left_at_a_copy_goes_with_one_clean_up(town, tmp_path):
    copy = tmp_path / "copy"
    digest = town.make("a set", "publish/embeddings", "cafe")
    town.registry.move_alias(Move("cafe", "live", digest, "r", "w", change="first", space="0" * 16))
    copy_set(town.store.open("publish/embeddings", digest), copy)
    AliasRecords(copy).catch_up(town.registry.alias_history("cafe"))
    town.declaration.write_text(
        town.declaration.read_text() + f"stages: {{publish: {{copies: ['{copy}']}}}}\n"
    )
    left = copy / "store" / "staging" / "publish-embeddings-1"
    left.mkdir()
    left.with_name(left.name + ".lock").touch()
    (copy / "live" / "cafe" / "live" / ".000000000002.json.1.ab.tmp").touch()
    with staged_folder(copy / "store", "publish-embeddings") as at_work:
        done = town.collect(timedelta(0), grace=timedelta(0))
        assert {x.path.name for x in done.leftovers} == {left.name, ".000000000002.json.1.ab.tmp"}
        assert at_work.is_dir()
    assert not left.exists()
    assert [p.name for p in (copy / "live" / "cafe" / "live").iterdir()] == ["000000000001.json"]
    assert (copy / "store" / "artifacts" / "publish" / "embeddings" / digest).is_dir()


def test_a_copy_that_is_not_there_is_not_made(town, tmp_path):
    town.publish("a set")
    text = town.declaration.read_text()
    town.declaration.write_text(f"{text}stages: {{publish: {{copies: ['{tmp_path / 'copy'}']}}}}\n")
    assert town.plan().leftovers == ()
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("way", ["itself", "through a link", "as a URL"])
def test_a_copy_that_is_the_platforms_own_folder_is_passed_over(town, tmp_path, way):
    town.publish("a set")
    (tmp_path / "link").symlink_to(town.home.root)
    place = {
        "itself": town.home.root,
        "through a link": tmp_path / "link",
        "as a URL": town.home.root.as_uri(),
    }
    text = town.declaration.read_text()
    town.declaration.write_text(f"{text}stages: {{publish: {{copies: ['{place[way]}']}}}}\n")
    planning = threading.Thread(target=town.plan, daemon=True)  # two turns at one store would wait for ever
    planning.start()
    planning.join(timeout=20)
    assert not planning.is_alive()
