"""PSI and KS against references written out, and what a reader takes them to mean."""

import math

import numpy as np
import pytest
from scipy.stats import ks_2samp

from schemas.drift import SMOOTHING, ks, psi, psi_by_chance


def naive_psi(before, after):
    bins = [(a, b) for a, b in zip(before, after, strict=True) if a or b]
    p = [(a + SMOOTHING) / (sum(before) + SMOOTHING * len(bins)) for a, _ in bins]
    q = [(b + SMOOTHING) / (sum(after) + SMOOTHING * len(bins)) for _, b in bins]
    return sum((x - y) * math.log(x / y) for x, y in zip(p, q, strict=True))


def test_equal_shares_have_not_drifted_however_many_rows_there_are():
    assert psi([100, 300, 600], [100, 300, 600]) == 0
    assert psi([10_000, 30_000, 60_000], [100_000, 300_000, 600_000]) == pytest.approx(0, abs=1e-6)
    assert ks([1, 3, 6], [10, 30, 60]) == pytest.approx(0)


@pytest.mark.parametrize(
    ("before", "after"),
    [([5, 0, 3], [1, 4, 0]), ([900, 90, 10, 0], [800, 100, 50, 50]), ([1], [7]), ([0, 0, 9], [0, 3, 0])],
)
def test_psi_equals_the_sum_written_out_and_is_symmetric(before, after):
    assert psi(before, after) == pytest.approx(naive_psi(before, after))
    assert psi(before, after) == pytest.approx(psi(after, before))


def test_unused_bins_change_nothing():
    assert psi([5, 0, 3, 0, 0], [1, 0, 4, 0, 0]) == psi([5, 3], [1, 4])


def test_a_value_seen_for_the_first_time_counts_by_its_share():
    little, much = (psi([1000, 0], [1000 - new, new]) for new in (1, 300))
    assert 0 < little < 0.01 < 0.25 < much < math.inf


def test_ks_equals_scipy_where_every_bin_is_one_value():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 20, 500), rng.integers(2, 24, 300)
    mine = ks(np.bincount(a, minlength=24), np.bincount(b, minlength=24))
    assert mine == pytest.approx(ks_2samp(a, b).statistic)


def test_draws_from_one_distribution_show_what_chance_explains():
    rng = np.random.default_rng(2)
    shares = rng.dirichlet(np.full(12, 5.0))
    draws = [(rng.multinomial(400, shares), rng.multinomial(900, shares)) for _ in range(400)]
    assert np.mean([psi(a, b) for a, b in draws]) == pytest.approx(psi_by_chance(*draws[0]), rel=0.15)


def test_a_side_without_rows():
    assert (psi([0, 0], [0, 0]), ks([0, 0], [0, 0])) == (0, 0)
    assert (psi([0, 0], [3, 1]), ks([3, 1], [0, 0])) == (math.inf, 1)
    assert psi_by_chance([0, 0], [3, 1]) == 0


@pytest.mark.parametrize("measure", [psi, ks, psi_by_chance])
@pytest.mark.parametrize(
    ("before", "after"), [([1, 2], [1, 2, 3]), ([-1, 2], [1, 2]), ([1, math.nan], [1, 2])]
)
def test_what_is_no_pair_of_histograms_is_refused(measure, before, after):
    with pytest.raises(ValueError, match="histogram"):
        measure(before, after)
