import numpy as np

from hier_dag.model.encoding import KG_INFERRED, TRAINED
from hier_dag.transfer.closed_form import closed_form, zero_shot
from hier_dag.transfer.shots import draw_shots
from hier_dag.transfer.target import log_predicted_popularity, make_target


def log_softmax(scores):
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def test_inner_products_rank_as_the_equations_do(platform):
    graph, encoding = platform
    target, shots = make_target(graph, encoding, "cafe"), draw_shots(graph, "cafe", "2")
    vectors = closed_form(target, shots, kappa=7.0, lift_weight=0.3)

    s0 = (target.q @ target.z.T + target.bias).astype(np.float64)
    known = target.user_origin == TRAINED
    prior = np.exp(log_softmax(s0[known])).mean(axis=0)
    lift = log_softmax(s0) - np.log(prior)
    n = np.bincount(shots.item, minlength=20)
    want = np.log(n + 7.0 * prior) + 0.3 * lift
    got = vectors.user_vectors.astype(np.float64) @ vectors.item_vectors.T
    difference = got - want
    np.testing.assert_allclose(difference - difference.mean(axis=1, keepdims=True), 0, atol=1e-3)
    np.testing.assert_array_equal(vectors.item_origin, np.where(n > 0, TRAINED, KG_INFERRED))


def test_zero_shot_is_the_encoders_own_score(platform):
    graph, encoding = platform
    vectors = zero_shot(make_target(graph, encoding, "cafe"))
    want = encoding.users @ encoding.items[10:].T + encoding.item_bias[10:]
    np.testing.assert_allclose(vectors.scorer()(np.arange(40)), want, atol=1e-5)
    assert set(vectors.item_origin) == {KG_INFERRED}


def test_predicted_popularity_is_the_same_in_any_block():
    rng = np.random.default_rng(0)
    q, z, bias = rng.normal(size=(9, 4)), rng.normal(size=(5, 4)), rng.normal(size=5)
    q, z, bias = (x.astype(np.float32) for x in (q, z, bias))
    whole = log_predicted_popularity(q, z, bias)
    np.testing.assert_allclose(log_predicted_popularity(q, z, bias, block_entries=1), whole, atol=1e-6)
    np.testing.assert_allclose(np.exp(whole).sum(), 1)
    np.testing.assert_allclose(whole, np.log(np.exp(log_softmax(q @ z.T + bias)).mean(axis=0)), atol=1e-4)


def test_predicted_popularity_without_users_is_uniform():
    z = np.ones((4, 3), np.float32)
    np.testing.assert_allclose(log_predicted_popularity(z[:0], z, np.zeros(4, np.float32)), np.log(0.25))


def test_an_item_of_which_nothing_is_known_still_gets_a_vector_and_no_rank_moves(platform):
    graph, encoding = platform
    encoding.items[12] = 0
    encoding.item_bias[12] = 0
    vectors = zero_shot(make_target(graph, encoding, "cafe"))
    assert vectors.item_vectors.any(axis=1).all()
    want = encoding.users @ encoding.items[10:].T + encoding.item_bias[10:]
    np.testing.assert_allclose(vectors.scorer()(np.arange(40)) - want, 1, atol=1e-5)
