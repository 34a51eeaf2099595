"""An encoder whose training used a pair that is held out is refused, whatever let it in."""

import dataclasses

import dagster as dg
import numpy as np
import pytest

from hier_dag.graph.csr import from_coo
from hier_dag.graph.files import load_graph
from hier_dag.graph.knowledge_graph import TEST
from hier_dag.pipeline.stages import ENCODER, GRAPH
from hier_dag.train import job


def with_pair(graph, domain, user, item):
    """The graph with one pair more among the edges of a source."""
    csr = graph.interacts[domain]
    users, items = np.append(csr.row_of_entry(), user), np.append(csr.indices, item)
    changed = from_coo(users, items, csr.rows, csr.cols)
    return dataclasses.replace(graph, interacts={**graph.interacts, domain: changed})


@pytest.fixture
def pretrained(own, pretrain_again):
    """Pre-trains with another seed; gives the run."""
    return lambda: pretrain_again(seed=own.config.stages.pretrain.seed + 1)


def test_a_planted_pair_fails_the_check_and_is_named_and_nothing_is_committed(own, pretrained, monkeypatch):
    graph = load_graph(own.latest(GRAPH).path, own.config.source_names, own.config.target_names)
    pairs = graph.interactions["grocery"]
    user, item = (int(v[pairs.split == TEST][0]) for v in (pairs.user, pairs.item))
    before = own.latest(ENCODER).digest
    leaky = with_pair(graph, "food_delivery", user, item)
    monkeypatch.setattr(job, "load_graph", lambda *_: leaky)
    result = pretrained()
    assert not result.success
    (check,) = [c for c in result.get_asset_check_evaluations() if c.check_name == "no_leakage"]
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    sample = check.metadata["sample"].value
    assert {s["used_by"] for s in sample} == {"food_delivery", "history"}
    (named,) = {(s["user"], s["item"], *s["held_out_by"]) for s in sample}
    assert named[:2] == (graph.user_ids[user], graph.item_ids[item])
    assert "test of grocery" in named
    assert own.latest(ENCODER).digest == before


def test_a_sound_trainer_passes_with_the_digests_of_the_graphs_own_edges(own, pretrained):
    assert pretrained().success
    stored = own.latest(GRAPH).json("leakage.json")["domains"]
    used = own.latest(ENCODER).json("leakage.json")["used"]
    for source in own.config.source_names:
        assert used[source]["pairs_sha256"] == stored[source]["edges_sha256"]
    flows = own.latest(ENCODER).json("ledger.json")["flows"]
    assert {f["domain"]: f["entered"] for f in flows} == {
        s: stored[s]["edges"] for s in own.config.source_names
    }
