"""Degrees are compared with the last graph's by what its profile holds."""

import json
import math

import pytest

from benchmarks.faults.broken_graphs import sound_graph, with_relation, without
from hier_dag.graph.profile import profile
from schemas.drift import ks, psi
from schemas.graph_contract.degree_drift import degree_drift

BIG = {"users": 2000, "items": 300, "entities": 60, "interactions": 20_000, "links": 900, "friends": 8000}


@pytest.fixture(scope="module")
def graph():
    return sound_graph(**BIG)


def test_another_draw_of_the_same_logs_has_not_drifted(graph):
    before, now = profile(graph), profile(sound_graph(seed=1, **BIG))
    drifted, facts = degree_drift(before, now, 0.25)
    assert drifted == []
    assert {"interacts:shop.from", "interacts:shop.to", "has_entity.to", "social.from"} <= set(
        facts["compared"]
    )


def test_half_of_the_friendships_gone_is_drift_of_that_relation_alone(graph):
    lost = with_relation(graph, "social", lambda c: without(c, slice(None, None, 2)))
    drifted, facts = degree_drift(profile(graph), profile(lost), 0.25)
    assert drifted == ["social.from"]
    before, now = (profile(g)["degree_histograms"]["social"]["from"] for g in (graph, lost))
    bins = max(len(before), len(now))
    padded = [h + [0] * (bins - len(h)) for h in (before, now)]
    figures = facts["compared"]["social.from"]
    assert figures["psi"] == pytest.approx(psi(*padded), abs=1e-6)
    assert figures["ks"] == pytest.approx(ks(*padded), abs=1e-6)


def test_the_declared_limit_decides(graph):
    lost = with_relation(graph, "social", lambda c: without(c, slice(None, None, 8)))
    figure = degree_drift(profile(graph), profile(lost), 9.0)[1]["compared"]["social.from"]
    beyond = figure["psi"] - figure["by_chance"]
    assert degree_drift(profile(graph), profile(lost), beyond * 0.9)[0] == ["social.from"]
    assert degree_drift(profile(graph), profile(lost), beyond * 1.1)[0] == []


def test_a_first_graph_an_older_profile_and_a_new_relation_are_not_compared(graph):
    now = profile(graph)
    assert degree_drift(None, now, 0.25)[1]["compared"] == {}
    assert degree_drift({"nodes": {}}, now, 0.25)[1]["compared"] == {}
    before = {**now, "degree_histograms": {"social": now["degree_histograms"]["social"]}}
    assert list(degree_drift(before, now, 0.25)[1]["compared"]) == ["social.from"]


def test_a_domain_that_lost_everyone_has_drifted_and_its_figure_is_json():
    now = {"degree_histograms": {"interacts:shop": {"from": []}}}
    before = {"degree_histograms": {"interacts:shop": {"from": [1, 5, 2]}}}
    drifted, facts = degree_drift(before, now, 100.0)
    assert drifted == ["interacts:shop.from"]
    assert facts["compared"]["interacts:shop.from"]["psi"] is None
    assert math.isfinite(json.loads(json.dumps(facts))["compared"]["interacts:shop.from"]["ks"])
