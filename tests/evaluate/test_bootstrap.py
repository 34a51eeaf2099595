import numpy as np

from hier_dag.evaluate.bootstrap import bootstrap_means, intervals


def test_interval_matches_the_normal_approximation_and_a_naive_bootstrap():
    rng = np.random.default_rng(0)
    values = rng.random((500, 2)).astype(np.float32)
    low, high = intervals(bootstrap_means(values, 2000, seed=1))
    error = values.std(axis=0) / np.sqrt(500)
    np.testing.assert_allclose(low, values.mean(axis=0) - 1.96 * error, atol=3e-3)
    np.testing.assert_allclose(high, values.mean(axis=0) + 1.96 * error, atol=3e-3)
    naive = [values[rng.integers(500, size=500), 0].mean() for _ in range(2000)]
    np.testing.assert_allclose([low[0], high[0]], np.quantile(naive, [0.025, 0.975]), atol=3e-3)


def test_columns_share_their_resamples():
    values = np.random.default_rng(2).random((50, 1)).astype(np.float32)
    means = bootstrap_means(np.hstack([values, values + 1]), 300, seed=0)
    low, high = intervals(means[:, 1:] - means[:, :1])
    np.testing.assert_allclose([low[0], high[0]], 1, atol=1e-5)


def test_one_user_has_an_interval_of_width_zero():
    low, high = intervals(bootstrap_means(np.array([[0.25]], np.float32), 100, seed=0))
    assert low[0] == high[0] == 0.25
