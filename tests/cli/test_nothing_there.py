"""Commands in the wrong place: they say that nothing is there, and what to do, and make nothing."""

import json

import pytest

from hier_dag.registry import Registry
from tests.databases import registry_url
from tests.retention.conftest import Town

COMMANDS = (
    "audit verify",
    "audit live",
    "audit trace grocery",
    "audit diff grocery grocery",
    "audit impact logs/grocery.jsonl",
    "audit card grocery",
    "audit bundle grocery",
    "audit lineage-report",
    "audit reconcile",
    "audit anchor --file anchors.jsonl",
    "audit leakage abcd",
    "reproduce abcd",
    "copies check",
    "gc",
    "gc --delete",
    "report",
    "paths",
    "quarantine list",
    "quarantine show grocery",
    "pin grocery --why w",
    "alias grocery canary --why w",
    "waive grocery --why w",
    "rollback grocery --why w",
)


@pytest.fixture
def nowhere(drawn, tmp_path, monkeypatch):
    """An empty folder, beside a declaration whose platform has never been run."""
    for name in ("HIER_REGISTRY", "HIER_DOMAINS"):
        monkeypatch.delenv(name, raising=False)
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.setenv("HIER_HOME", str(empty / "state"))
    return empty, drawn.domains


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_told_as_such_with_the_place_and_the_fix_and_nothing_is_made(nowhere, hier, command):
    folder, declaration = nowhere
    answer = hier(*command.split(), "--domains", declaration, "--json")
    assert answer.code == 2, answer
    error = json.loads(answer.out)["error"]
    assert "there is nothing" in error["message"]
    assert error["file"] == str(folder / "state" / "sample")
    for word in ("HIER_HOME", "--domains FILE", "hier run"):
        assert word in error["fix"]
    assert list(folder.iterdir()) == []


def test_a_registry_without_an_event_of_the_platform_is_nothing_too(nowhere, hier):
    folder, declaration = nowhere
    home = folder / "state" / "sample"
    home.mkdir(parents=True)
    Registry(registry_url(home / "registry.db"), platform="sample")
    answer = hier("audit", "verify", "--domains", declaration)
    assert answer.code == 2
    assert "there is nothing of the platform 'sample' here" in answer.err


def test_a_platform_whose_registry_is_gone_is_not_given_a_new_one(hier, tmp_path, monkeypatch):
    town = Town(tmp_path)
    town.publish("set 1")
    monkeypatch.setenv("HIER_HOME", str(town.home.root.parent))
    file = tmp_path / "elsewhere" / "registry.db"
    file.parent.mkdir()
    monkeypatch.setenv("HIER_REGISTRY", f"sqlite:///{file}")
    answer = hier("audit", "live", "--domains", town.declaration, "--json")
    error = json.loads(answer.out)["error"]
    assert (answer.code, error["code"], error["file"]) == (1, "registry", str(file))
    assert "the registry is gone" in error["message"]
    answer = hier("audit", "verify", "--domains", town.declaration, "--json")
    assert "the registry is gone: there is no such file." in {
        p["found"] for p in json.loads(answer.out)["problems"]
    }
    assert not file.exists()


def test_a_file_without_an_anchor_vouches_for_nothing(platform, hier, tmp_path):
    empty = tmp_path / "anchors.jsonl"
    empty.touch()
    answer = hier("audit", "verify", "--fast", "--anchor", empty, "--domains", platform.domains, "--json")
    error = json.loads(answer.out)["error"]
    assert (answer.code, error["file"]) == (2, str(empty))
    assert "there is no anchor in it" in error["message"]


def test_a_key_that_is_not_there_is_the_option_and_not_the_variable(platform, hier, tmp_path):
    pytest.importorskip("cryptography")
    answer = hier("audit", "verify", "--key", tmp_path / "no.pub", "--domains", platform.domains)
    assert answer.code == 2
    assert "--key" in answer.err
    assert "key.pub" in answer.err
    assert "HIER_SIGNING_KEY" not in answer.err
