import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hier_dag.evaluate.beyond_accuracy import coverage, exposure, gini, novelty, self_information
from hier_dag.evaluate.ranking import NO_ITEM

TOP = np.array([[2, 0, 1], [2, 3, NO_ITEM], [2, 0, 3]], np.int32)


def test_exposure_counts_the_users_that_are_shown_an_item():
    np.testing.assert_array_equal(exposure(TOP, 1, 5), [0, 0, 3, 0, 0])
    np.testing.assert_array_equal(exposure(TOP, 3, 5), [2, 1, 3, 2, 0])
    np.testing.assert_array_equal(exposure(TOP, 99, 5), [2, 1, 3, 2, 0])
    np.testing.assert_allclose(coverage(exposure(TOP, 3, 5)), 4 / 5)
    np.testing.assert_array_equal(exposure(TOP[:0], 3, 5), np.zeros(5))


def naive_gini(x):
    """Mean absolute difference of all pairs over twice the mean."""
    return sum(abs(a - b) for a in x for b in x) / (2 * len(x) * sum(x)) if sum(x) else 0.0


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12))
def test_gini_equals_its_definition_over_pairs(counts):
    np.testing.assert_allclose(gini(np.array(counts)), naive_gini(counts), atol=1e-12)


def test_gini_is_zero_for_equal_exposure_and_near_one_for_a_single_item():
    both = np.array([[4, 4, 4, 4], [0, 0, 9, 0]])
    np.testing.assert_allclose(gini(both), [0, 3 / 4])
    np.testing.assert_allclose(coverage(both), [1, 1 / 4])


def test_novelty_is_the_mean_self_information_of_the_items_shown():
    counts = np.array([3, 0, 7, 1, 0])
    bits = self_information(counts)
    share = (counts + 1) / (counts + 1).sum()
    np.testing.assert_allclose(bits, -np.log2(share), rtol=1e-6)
    want = [
        [bits[2], (bits[2] + bits[0] + bits[1]) / 3],
        [bits[2], (bits[2] + bits[3]) / 2],
        [bits[2], (bits[2] + bits[0] + bits[3]) / 3],
    ]
    np.testing.assert_allclose(novelty(TOP, bits, (1, 3)), want, rtol=1e-6)


def test_without_any_count_every_item_is_equally_novel():
    np.testing.assert_allclose(self_information(np.zeros(8, np.int64)), 3)
    empty = np.full((2, 3), NO_ITEM, np.int32)
    np.testing.assert_array_equal(novelty(empty, self_information(np.zeros(8, np.int64)), (1, 3)), 0)
