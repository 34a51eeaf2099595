import numpy as np
import pytest

from hier_dag.evaluate.baselines import BASELINES, Evidence, register

EVERYONE = np.arange(3)


def evidence(graph, pairs=()):
    user, item = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return Evidence(graph=graph, domain="cafe", user=user, item=item)


def test_profile_prefers_items_that_share_entities_with_source_history(two_tastes):
    scores = BASELINES["entity_profile"](evidence(two_tastes))(EVERYONE)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(scores, [[1, 0, half], [0, 1, half], [0, 0, 0]], atol=1e-6)


def test_profile_learns_from_few_shot_items_and_only_for_their_user(two_tastes):
    scores = BASELINES["entity_profile"](evidence(two_tastes, [(2, 3)]))(EVERYONE)
    np.testing.assert_allclose(scores[2], [0, 1, np.sqrt(0.5)], atol=1e-6)
    np.testing.assert_allclose(scores[0], [1, 0, np.sqrt(0.5)], atol=1e-6)


def test_popularity_counts_few_shot_pairs_and_does_not_exist_without_any(two_tastes):
    assert BASELINES["popularity"](evidence(two_tastes)) is None
    scores = BASELINES["popularity"](evidence(two_tastes, [(0, 4), (1, 4), (1, 2)]))(EVERYONE[:2])
    np.testing.assert_array_equal(scores, [[1, 0, 2], [1, 0, 2]])


def test_random_prefers_nothing(two_tastes):
    scores = BASELINES["random"](evidence(two_tastes))(EVERYONE)
    assert scores.shape == (3, 3)
    assert not scores.any()


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="registered twice"):
        register("random")(BASELINES["random"])
