"""What every baseline owes a report, fast and trained alike."""

import dataclasses

import numpy as np
import pytest

from hier_dag.evaluate.baselines import BASELINES, all_baselines, fast_baselines
from hier_dag.evaluate.baselines.entity_popularity import entity_popularity
from hier_dag.evaluate.baselines.twin import PRIOR_VISITS
from hier_dag.graph.csr import from_coo

EVERYONE = np.arange(22)
ALL = all_baselines()
ZERO_SHOT = {"random", "kg_degree", "entity_profile", "entity_popularity", "entity_mix", "kgin"}
FEW_SHOT = set(ALL) - {"kg_degree", "entity_mix"}
LEVEL = {"random", "entity_profile"}  # a user without history ranks every item alike


@pytest.fixture(params=sorted(ALL))
def name(request):
    return request.param


def test_fast_ones_are_the_default_and_trained_ones_come_on_demand():
    assert fast_baselines() == BASELINES
    assert set(ALL) - set(BASELINES) == {
        "mf", "lightgcn_few_shot", "lightgcn", "lightgcn_popularity", "xsimgcl", "kgin"
    }  # fmt: skip


def test_exists_where_its_evidence_does(name, small_platform, few_shot, zero_shot):
    assert (ALL[name](zero_shot(small_platform)) is not None) == (name in ZERO_SHOT)
    assert (ALL[name](few_shot(small_platform)) is not None) == (name in FEW_SHOT)


def test_scores_are_finite_and_repeatable(name, make_small_platform, few_shot, zero_shot):
    make = few_shot if name in FEW_SHOT else zero_shot
    one = ALL[name](make(make_small_platform(), seed=1))(EVERYONE)
    again = ALL[name](make(make_small_platform(), seed=1))(EVERYONE)
    assert one.dtype == np.float32
    assert one.shape == (22, 8)
    assert np.isfinite(one).all()
    np.testing.assert_array_equal(one, again)


def test_a_user_without_history_gets_the_popular_items(name, small_platform, few_shot):
    if name not in FEW_SHOT - LEVEL - {"twin"}:
        pytest.skip("ranks nothing for users without history")
    evidence = few_shot(small_platform)
    count = np.array([(evidence.item == i).sum() for i in small_platform.catalogue["cafe"]])
    scores = ALL[name](evidence)(np.array([20, 21]))  # users 22 and 23: neither source nor few-shot pairs
    order = np.argsort(-scores, axis=1, kind="stable")
    assert (np.diff(count[order], axis=1) <= 0).all()


def test_to_the_twin_a_user_without_history_is_an_average_one(small_platform, few_shot):
    evidence = few_shot(small_platform)
    expected = entity_popularity(evidence, prior_visits=PRIOR_VISITS)(np.array([20]))
    np.testing.assert_allclose(ALL["twin"](evidence)(np.array([20])), expected, rtol=1e-6)


def test_reads_nothing_else_of_the_target(name, small_platform, few_shot, zero_shot):
    make = few_shot if name in FEW_SHOT else zero_shot
    evidence = make(small_platform)
    empty = np.zeros(0, np.int64)
    blank = dataclasses.replace(
        small_platform.interactions["cafe"], user=empty, item=empty, split=empty.astype(np.int8)
    )
    without = dataclasses.replace(
        small_platform,
        interacts={**small_platform.interacts, "cafe": from_coo(empty, empty, 24, 24)},
        interactions={**small_platform.interactions, "cafe": blank},
    )
    expected = ALL[name](evidence)(EVERYONE)
    found = ALL[name](dataclasses.replace(evidence, graph=without))(EVERYONE)
    np.testing.assert_array_equal(found, expected)


def test_a_block_of_users_scores_as_everybody_does(name, small_platform, few_shot, zero_shot):
    score = ALL[name]((few_shot if name in FEW_SHOT else zero_shot)(small_platform))
    np.testing.assert_allclose(score(np.array([21, 3, 0])), score(EVERYONE)[[21, 3, 0]], atol=1e-5)


def test_sources_without_interactions_are_survived(name, small_platform, few_shot, zero_shot):
    empty = np.zeros(0, np.int64)
    silent = {s: from_coo(empty, empty, 24, 24) for s in small_platform.sources}
    graph = dataclasses.replace(small_platform, interacts={**small_platform.interacts, **silent})
    make = few_shot if name in FEW_SHOT else zero_shot
    evidence = dataclasses.replace(make(small_platform), graph=graph)
    assert np.isfinite(ALL[name](evidence)(EVERYONE)).all()
