from itertools import combinations
from math import log

import numpy as np
import pytest

from hier_dag.evaluate.interpret.partitions import (
    adjusted_rand_index,
    best_matching,
    contingency,
    normalised_mutual_information,
)


def naive_nmi(a, b):
    """Sums of p log p over Python lists."""
    n = len(a)

    def entropy(labels):
        return -sum(labels.count(x) / n * log(labels.count(x) / n) for x in set(labels))

    both = entropy(list(zip(a, b, strict=True)))
    own, other = entropy(list(a)), entropy(list(b))
    return 2 * (own + other - both) / (own + other)


def naive_ari(a, b):
    """Counts pairs of things, one by one."""
    pairs = list(combinations(range(len(a)), 2))
    together = sum(a[i] == a[j] and b[i] == b[j] for i, j in pairs)
    own, other = sum(a[i] == a[j] for i, j in pairs), sum(b[i] == b[j] for i, j in pairs)
    expected = own * other / len(pairs)
    return (together - expected) / ((own + other) / 2 - expected)


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_those_of_naive_counting(seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, 60)
    b = np.where(rng.random(60) < 0.6, a, rng.integers(0, 6, 60))
    assert normalised_mutual_information(a, b) == pytest.approx(naive_nmi(a.tolist(), b.tolist()))
    assert adjusted_rand_index(a, b) == pytest.approx(naive_ari(a.tolist(), b.tolist()))
    assert normalised_mutual_information(a, b) == pytest.approx(normalised_mutual_information(b, a))


def test_names_of_classes_do_not_matter_and_chance_is_zero():
    a = np.repeat(np.arange(3), 200)
    assert normalised_mutual_information(a, 7 - a) == pytest.approx(1)
    assert adjusted_rand_index(a, 7 - a) == pytest.approx(1)
    b = np.random.default_rng(0).permutation(a)
    assert abs(adjusted_rand_index(a, b)) < 0.01
    assert normalised_mutual_information(a, b) < 0.02


def test_one_class_and_one_thing_have_figures_too():
    one = np.zeros(5, np.int64)
    assert normalised_mutual_information(one, one) == 1
    assert adjusted_rand_index(one, one) == 1
    assert adjusted_rand_index(one[:1], one[:1]) == 1
    assert normalised_mutual_information(one, np.arange(5)) == 0


def test_the_best_matching_is_better_than_the_greedy_one():
    counts = np.array([[9, 8], [8, 0], [0, 0]])
    assert best_matching(counts) == {0: 1, 1: 0}  # 16 agree; 9 + 0 if the largest cell came first


def test_contingency_counts_every_cell():
    counts = contingency(np.array([0, 0, 2]), np.array([1, 1, 0]))
    assert counts.tolist() == [[0, 2], [0, 0], [1, 0]]
