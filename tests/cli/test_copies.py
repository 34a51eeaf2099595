"""`hier copies check`: damage at a copy is shown, mended when asked, and decides the exit code."""

import json

import pytest

from hier_dag.publish.aliases import AliasRecords
from hier_dag.publish.mirror import copy_set
from hier_dag.publish.reader.layout import set_folder
from hier_dag.registry import Move
from tests.retention.conftest import Town


@pytest.fixture
def town(tmp_path, monkeypatch):
    """One set of `cafe`, live at home and at a copy."""
    town = Town(tmp_path)
    town.copy = tmp_path / "copy"
    text = town.declaration.read_text()
    town.declaration.write_text(f"{text}stages: {{publish: {{copies: ['{town.copy}']}}}}\n")
    monkeypatch.setenv("HIER_HOME", str(town.home.root.parent))
    monkeypatch.setenv("HIER_DOMAINS", str(town.declaration))
    monkeypatch.delenv("HIER_REGISTRY", raising=False)
    town.digest = town.make("a set", "publish/embeddings", "cafe")
    town.registry.move_alias(Move("cafe", "live", town.digest, "r", "w", change="first", space="0" * 16))
    copy_set(town.store.open("publish/embeddings", town.digest), town.copy)
    for place in (town.home.root, town.copy):
        AliasRecords(place).catch_up(town.registry.alias_history("cafe"))
    return town


def test_a_damaged_copy_is_shown_then_repaired(hier, town):
    answer = hier("copies", "check")
    assert (answer.code, "all 2 are whole" in answer.out) == (0, True)
    file = town.copy / set_folder(town.digest) / "f"
    file.write_text("A SET")
    answer = hier("copies", "check", "cafe")
    assert answer.code == 1
    assert "damaged: f" in answer.out
    assert "1 of 2 are not whole" in answer.out
    assert "the same with --repair" in answer.out
    answer = hier("copies", "check", "--repair", "--json")
    assert answer.code == 0
    (here, there) = json.loads(answer.out)["places"]
    assert (here["whole"], here["damaged"]) == (True, [])
    assert (there["whole"], there["damaged"], there["repaired"]) == (True, ["f"], True)
    assert file.read_text() == "a set"


def test_a_name_that_is_no_domain_is_told(hier, town):
    answer = hier("copies", "check", "bar")
    assert answer.code == 2
    assert "no domain of the platform" in answer.err
