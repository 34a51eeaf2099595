"""Figures of a study's cell are those of the report card, and no test pair helps to make them."""

from dataclasses import replace

import numpy as np
import pytest

from hier_dag.graph.files import load_graph
from hier_dag.graph.knowledge_graph import TEST, TRAIN
from hier_dag.pipeline.stages import ENCODER, GRAPH
from hier_dag.study.measure import measure, without_tests
from hier_dag.train.encoding_files import load_encoding
from hier_dag.transfer.transfer import transfer

DOMAIN = "grocery"


@pytest.fixture
def made(platform):
    config = platform.config
    graph = load_graph(platform.latest(GRAPH).path, config.source_names, config.target_names)
    return graph, load_encoding(platform.latest(ENCODER).path), config.stages.transfer


def figures(table, **where):
    rows = [r for r in table.to_pylist() if all(r[k] == v for k, v in where.items())]
    return {(r["shots"], r["slice"], r["metric"], r["k"]): (r["value"], r["low"], r["high"]) for r in rows}


def test_figures_equal_those_of_the_report_card(made):
    graph, encoding, params = made
    card = transfer(graph, encoding, DOMAIN, params).records
    mine = measure(graph, encoding, DOMAIN, ("0", "1"), params).records
    (variant,) = {r["variant"] for r in mine.to_pylist() if r["shots"] == "1"}
    wanted = {
        **figures(card, model="hier", shots="0"), **figures(card, model="hier", shots="1", variant=variant)
    }  # fmt: skip
    found = figures(mine)
    assert {k for k in found if k[2] == "ndcg"} >= {("0", "all", "ndcg", 10), ("1", "all", "ndcg", 10)}
    for key, figure in found.items():
        assert figure == pytest.approx(wanted[key], abs=1e-6), key


def test_users_average_to_the_records(made):
    graph, encoding, params = made
    result = measure(graph, encoding, DOMAIN, ("0", "1"), params)
    users = result.users.to_pandas()
    tested = np.unique(graph.interactions[DOMAIN].part(TEST)[0])
    found = figures(result.records)
    for shots, part in users.groupby("shots"):
        np.testing.assert_array_equal(part["user"], tested)
        for metric in ("ndcg", "hr"):
            assert part[metric].mean() == pytest.approx(found[shots, "all", metric, 10][0], abs=1e-6)


def test_transfer_sees_no_test_pair_and_in_zero_shot_no_pair_at_all(made):
    graph = made[0]
    blind = without_tests(graph, DOMAIN, training=True)
    pairs = blind.interactions[DOMAIN]
    assert not (pairs.split == TEST).any()
    assert (pairs.split == TRAIN).sum() == (graph.interactions[DOMAIN].split == TRAIN).sum()
    assert len(pairs.user) == len(graph.interactions[DOMAIN].user)
    empty = without_tests(graph, DOMAIN, training=False)
    assert not np.isin(empty.interactions[DOMAIN].split, (TRAIN, TEST)).any()
    assert empty.interacts[DOMAIN].nnz == 0
    assert empty.interacts["recipes"] is graph.interacts["recipes"]


def test_a_target_without_interactions_has_no_figure(made):
    graph, encoding, params = made
    result = measure(graph, encoding, "meal_kits", ("0", "1"), params)
    assert (result.records.num_rows, result.users.num_rows) == (0, 0)


def test_a_setting_without_an_interaction_has_no_figure(made):
    graph, encoding, params = made
    result = measure(graph, encoding, DOMAIN, ("0", "0.001%"), replace(params, bootstrap=10))
    assert set(result.records["shots"].to_pylist()) == {"0"}
