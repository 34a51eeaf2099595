"""Paired comparison against naive references."""

import numpy as np
import pytest
from scipy import stats

from hier_dag.study.estimate import estimate, holm, mean_over_targets, p_values

RNG = np.random.default_rng(0)


def per_user(n, shift=0.0):
    return (RNG.random((n, 2)) + shift).astype(np.float32)


def values_of(n):
    return {
        ("default", "d", "0"): {0: per_user(n), 1: per_user(n)},
        ("better", "d", "0"): {0: per_user(n, 0.5), 1: per_user(n, 0.5)},
        ("half", "d", "0"): {1: per_user(n)},
    }


def test_changes_are_taken_within_the_seeds_that_both_have():
    values = values_of(40)
    found = estimate(values, ["default", "better", "half"], "default", ("d", "0", 0), 20, 0)
    base, better, half = (values[name, "d", "0"] for name in ("default", "better", "half"))
    of = lambda cells: np.mean([v[:, 0] for v in cells.values()])  # noqa: E731
    assert found.value == pytest.approx([of(base), of(better), half[1][:, 0].mean()], abs=1e-6)
    assert found.change == pytest.approx(
        [0.0, of(better) - of(base), (half[1][:, 0] - base[1][:, 0]).mean()], abs=1e-6
    )


def test_p_is_that_of_a_paired_t_test():
    values = values_of(30)
    found = estimate(values, ["default", "half"], "default", ("d", "0", 1), 20, 0)
    p = p_values(found.change, found.variance, found.freedom)
    wanted = stats.ttest_rel(values["half", "d", "0"][1][:, 1], values["default", "d", "0"][1][:, 1])
    assert p == pytest.approx([1.0, wanted.pvalue], rel=1e-4)


def test_intervals_are_of_the_same_users_for_every_cell():
    same = per_user(50)
    values = {("default", "d", "0"): {0: same}, ("shifted", "d", "0"): {0: same + np.float32(0.25)}}
    found = estimate(values, ["default", "shifted"], "default", ("d", "0", 0), 200, 0)
    # Every user gains a quarter, so no draw of users can say anything else; unpaired draws would.
    np.testing.assert_allclose(found.draws[:, 3], 0.25, atol=1e-5)
    assert found.draws[:, 1].std() > 0.01


def test_the_mean_weighs_targets_alike():
    many, few = values_of(90), values_of(10)
    both = [
        estimate(v, ["default", "better"], "default", ("d", "0", 0), 50, s) for s, v in ((0, many), (1, few))
    ]
    mean = mean_over_targets(both)
    assert mean.change == pytest.approx((both[0].change + both[1].change) / 2)
    assert mean.variance == pytest.approx((both[0].variance + both[1].variance) / 4)
    assert mean.users == 100


def naive_holm(p):
    out, worst = {}, 0.0
    for rank, at in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        worst = max(worst, min(1.0, (len(p) - rank) * p[at]))
        out[at] = worst
    return [out[i] for i in range(len(p))]


@pytest.mark.parametrize("p", [[0.01, 0.04, 0.03, 0.9], [0.5], [0.2, 0.2, 0.001], []])
def test_holm(p):
    assert holm(np.array(p)) == pytest.approx(naive_holm(p))
