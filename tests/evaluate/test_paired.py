import itertools

import numpy as np
import pytest

from hier_dag.evaluate.paired import holm, paired, sign_flip_p


def test_p_equals_the_share_of_all_sign_flips_at_least_as_far_from_zero():
    gains = np.array([0.5, 0.3, -0.1, 0.4, 0.2, 0.6, -0.05], np.float32)
    flips = np.array([gains @ np.array(s) for s in itertools.product([1, -1], repeat=7)])
    exact = (np.abs(flips) >= abs(gains.sum()) - 1e-6).mean()
    assert abs(sign_flip_p(gains[:, None], 20_000, 0)[0] - exact) < 0.01


def test_p_is_uniform_under_the_null():
    rng = np.random.default_rng(0)
    gains = (rng.standard_normal((200, 2000)) * rng.exponential(1, (200, 1))).astype(np.float32)
    p = np.concatenate([sign_flip_p(gains[:, part : part + 100], 500, part) for part in range(0, 2000, 100)])
    for level in (0.05, 0.2, 0.5, 0.9):
        assert abs((p <= level).mean() - level) < 0.03


def test_p_is_as_small_as_the_flips_allow_for_a_clear_gain_and_one_for_none():
    rng = np.random.default_rng(1)
    b = rng.random(400)
    clear = paired(b + 0.1 + 0.01 * rng.standard_normal(400), b, 999, 0)
    assert clear.p == 1 / 1000
    assert 0.09 < clear.low <= clear.gain <= clear.high < 0.11
    same = paired(b, b, 999, 0)
    assert (same.gain, same.low, same.high, same.p) == (0, 0, 0, 1)


def test_swapping_the_models_changes_the_sign_alone_and_seeds_repeat():
    rng = np.random.default_rng(2)
    a, b = rng.random(100), rng.random(100)
    one, other = paired(a, b, 500, 3), paired(b, a, 500, 3)
    assert one.p == other.p
    np.testing.assert_allclose(
        [one.gain, one.low, one.high], [-other.gain, -other.high, -other.low], rtol=1e-5
    )
    assert one == paired(a, b, 500, 3)


def test_users_must_match():
    with pytest.raises(ValueError, match="one length"):
        paired(np.zeros(3), np.zeros(4), 10, 0)
    with pytest.raises(ValueError, match="above 0"):
        paired(np.zeros(0), np.zeros(0), 10, 0)


def test_holm_multiplies_by_the_comparisons_left_and_never_decreases():
    got = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert list(got) == ["d", "a", "c", "b"]
    np.testing.assert_allclose(list(got.values()), [0.02, 0.03, 0.06, 0.06])
    assert holm({}) == {}
    assert holm({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}
