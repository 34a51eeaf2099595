"""A set that a gate refuses goes live once somebody says so, for as long as they say."""

from datetime import UTC, datetime, timedelta

import pytest

from hier_dag.publish.gates import remedies, space_gate, transfer_gate
from hier_dag.registry import CheckRow, Registry
from hier_dag.registry.decisions import APPROVAL, WAIVER
from tests.databases import registry_url


@pytest.fixture
def registry(tmp_path, monkeypatch):
    opened = Registry(registry_url(tmp_path / "registry.db"))
    name = "no_negative_transfer"
    cards = {
        "loses": [CheckRow(name, False, {"sentence": "HIER is below ease.", "baseline": "ease"})],
        "wins": [CheckRow(name, True, {"sentence": "HIER is above ease."})],
        "unjudged": [],
    }  # fmt: skip
    monkeypatch.setattr(opened, "checks", cards.__getitem__)
    return opened


def test_transfer_that_loses_is_refused_with_the_words_of_its_report_card(registry):
    check = transfer_gate(registry, "food", "loses", blocks=True)
    assert not check.passed
    assert check.facts["message"] == "HIER is below ease."
    assert 'hier waive food --why "…"' in remedies("food", [check])


@pytest.mark.parametrize("model", ["wins", "unjudged"])
def test_transfer_that_does_not_lose_passes(registry, model):
    assert transfer_gate(registry, "food", model, blocks=True).passed


def test_where_the_gate_only_warns_the_loss_is_still_told(registry):
    check = transfer_gate(registry, "food", "loses", blocks=False)
    assert check.passed
    assert check.facts["message"] == "HIER is below ease."


def test_a_waiver_covers_the_model_it_was_given_for(registry):
    registry.decide("food", WAIVER, "loses", why="the launch is tomorrow")
    check = transfer_gate(registry, "food", "loses", blocks=True)
    assert check.passed
    assert "the launch is tomorrow" in check.facts["waiver"]
    assert not transfer_gate(registry, "cafe", "loses", blocks=True).passed


def test_a_waiver_with_an_end_covers_every_model_until_then(registry):
    now = datetime.now(UTC)
    registry.decide("food", WAIVER, "*", why="w", until=now - timedelta(seconds=1))
    assert not transfer_gate(registry, "food", "loses", blocks=True).passed
    registry.decide("food", WAIVER, "*", why="w", until=now + timedelta(days=1))
    assert transfer_gate(registry, "food", "loses", blocks=True).passed


@pytest.mark.parametrize("change", ["first", "same", "aligned"])
def test_a_space_that_consumers_know_passes(registry, change):
    assert space_gate(registry, "food", "set", change, {}, blocks=True).passed


def test_another_space_waits_for_an_approval_of_that_very_set(registry):
    check = space_gate(registry, "food", "5e7" * 21 + "0", "breaking", {"residual": 1.3}, blocks=True)
    assert not check.passed
    assert check.facts["residual"] == 1.3
    assert 'hier approve food --set 5e75e75e75e7 --why "…"' in remedies("food", [check])
    registry.decide("food", APPROVAL, "another", why="w")
    assert not space_gate(registry, "food", "set", "breaking", {}, blocks=True).passed
    registry.decide("food", APPROVAL, "set", why="all consumers retrain")
    check = space_gate(registry, "food", "set", "breaking", {}, blocks=True)
    assert check.passed
    assert "all consumers retrain" in check.facts["approval"]
    assert space_gate(registry, "cafe", "other", "breaking", {}, blocks=False).passed
