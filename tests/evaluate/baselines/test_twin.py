import numpy as np
import pytest
import scipy.sparse as sp

from hier_dag.evaluate.baselines.entity_popularity import predicted_shares
from hier_dag.evaluate.baselines.twin import leave_one_out, spectral_users, twin


def naive_users(x, dim, damping):
    du, di = x.sum(axis=1) + damping, x.sum(axis=0) + damping
    _, sigma, right = np.linalg.svd(x / np.sqrt(np.outer(np.maximum(du, 1e-9), np.maximum(di, 1e-9))))
    v = right[:dim].T * np.sqrt(sigma[:dim]) / np.sqrt(np.maximum(di, 1e-9))[:, None]
    history = x.any(axis=1)
    out = np.zeros((len(x), dim))
    out[history] = x[history] @ v - (x[history] @ v).mean(axis=0)
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def test_user_vectors_are_those_of_the_dense_decomposition(small_platform, zero_shot, dense):
    expected = naive_users(dense(zero_shot(small_platform)), 4, 5.0)
    x = spectral_users(small_platform, 4, 5.0)
    np.testing.assert_allclose(x @ x.T, expected @ expected.T, atol=1e-8)  # singular vectors have no sign
    assert not x[18:].any()


def test_score_is_the_formula(small_platform, few_shot, zero_shot, dense):
    evidence = few_shot(small_platform)
    x = naive_users(dense(zero_shot(small_platform)), 4, 5.0)
    pi = predicted_shares(evidence)
    audience, catalogue = small_platform.audience["cafe"], small_platform.catalogue["cafe"]
    expected = np.zeros((len(audience), len(catalogue)))
    for row, u in enumerate(audience):
        for column, i in enumerate(catalogue):
            visitors = evidence.user[evidence.item == i]
            taste = sum(x[u] @ x[v] for v in visitors) / (len(visitors) + 2)
            expected[row, column] = np.log(len(visitors) + 50 * pi[column]) + 3 * taste
    scores = twin(evidence, dim=4, prior_visits=50, damping=5.0, weights=(3.0,))(np.arange(len(audience)))
    np.testing.assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize("weight", [0.5, 4.0])
def test_leave_one_out_is_what_removing_each_pair_gives(small_platform, few_shot, weight):
    evidence = few_shot(small_platform)
    rng = np.random.default_rng(1)
    x, prior = rng.normal(size=(24, 3)), rng.random(len(small_platform.catalogue["cafe"])) + 0.1
    column = np.searchsorted(small_platform.catalogue["cafe"], evidence.item)
    gains = []
    for at, (u, i) in enumerate(zip(evidence.user, column, strict=True)):
        others = np.arange(len(column)) != at
        scores = np.empty(len(prior))
        for j in range(len(prior)):
            visitors = evidence.user[others & (column == j)]
            taste = sum(x[u] @ x[v] for v in visitors) / (len(visitors) + 2)
            scores[j] = np.log(len(visitors) + prior[j]) + weight * taste
        scores[column[others & (evidence.user == u)]] = -np.inf
        gains.append(1 / np.log2(2 + (scores > scores[i]).sum() + ((scores == scores[i]).sum() - 1) / 2))
    ones = np.ones(len(column))
    visited = sp.csr_array((ones, (evidence.user, column)), shape=(24, len(prior)))
    assert leave_one_out(x, visited, prior, (weight,))[weight] == pytest.approx(np.mean(gains))
