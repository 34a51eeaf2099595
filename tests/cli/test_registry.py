"""`hier registry upgrade` and `hier audit anchor`: the tables made new, the chain's end noted elsewhere."""

import json

import pytest

from hier_dag.registry.anchors import read_anchors
from hier_dag.registry.upgrade import upgrade
from hier_dag.registry.verify import verify_log
from tests.databases import POSTGRES, registry_url
from tests.retention.conftest import Town


@pytest.fixture
def town(tmp_path, monkeypatch):
    town = Town(tmp_path)
    monkeypatch.setenv("HIER_HOME", str(town.home.root.parent))
    monkeypatch.setenv("HIER_DOMAINS", str(town.declaration))
    monkeypatch.delenv("HIER_REGISTRY", raising=False)
    return town


def test_an_old_registry_is_named_by_every_command_and_upgraded_by_one(hier, town, monkeypatch, tmp_path):
    town.publish("set 1")
    monkeypatch.setenv("HIER_REGISTRY", registry_url(tmp_path / "old.db"))
    upgrade(registry_url(tmp_path / "old.db"), to="0001")
    answer = hier("gc")
    assert answer.code == 1
    assert "hier registry upgrade" in answer.err
    told = hier("registry", "upgrade", "--json")
    assert told.code == 0, told.err
    assert json.loads(told.out)["before"] == "0001"
    assert POSTGRES or "old.db.0001-" in json.loads(told.out)["copy"]
    assert hier("gc").code == 0
    assert "nothing to do" in hier("registry", "upgrade").out


def test_an_anchor_says_where_the_chain_ends(hier, town, tmp_path):
    town.publish("set 1")
    file = tmp_path / "elsewhere" / "anchors.jsonl"
    answer = hier("audit", "anchor", "--file", str(file))
    assert answer.code == 0, answer.err
    (anchor,) = read_anchors(file)
    assert (anchor.seq, anchor.hash) == (town.registry.head().seq, town.registry.head().hash)
    assert anchor.hash in answer.out
    town.publish("set 2")
    assert verify_log(town.registry, anchors=[anchor]).problems == []


def test_an_anchor_needs_a_place(hier, town):
    answer = hier("audit", "anchor")
    assert answer.code == 2
    assert "--file FILE or --git FOLDER" in answer.err


def test_a_version_record_is_an_anchor_of_its_own(town):
    town.publish("set 1")
    row = town.registry.alias("cafe")
    event = town.registry.events(after=row.event - 1, limit=1)[0]
    assert (event.kind, event.hash, event.body["version"]) == ("alias", row.hash, 1)
