"""A consumer of rankings asks how many of a user's best items stay the best."""

import numpy as np
import pytest

from hier_dag.publish.space.overlap import top_overlap
from tests.publish.space.helpers import normal


def naive(users, items, k):
    shares = []
    for new, live in zip(*users, strict=True):
        best = [set(np.argsort(-(items[side] @ user))[:k]) for side, user in enumerate((new, live))]
        shares.append(len(best[0] & best[1]) / k)
    return np.mean(shares)


def test_it_is_the_share_of_best_items_in_common():
    users, items = (normal(150, 5), normal(150, 5, 1)), (normal(80, 5, 2), normal(80, 5, 3))
    assert top_overlap(users, items, 7) == pytest.approx(naive(users, items, 7))


def test_vectors_of_another_length_can_be_compared():
    users, items = (normal(20, 5), normal(20, 3, 1)), (normal(80, 5, 2), normal(80, 3, 3))
    assert top_overlap(users, items, 7) == pytest.approx(naive(users, items, 7))


def test_items_that_tie_but_for_rounding_are_the_same_place():
    users = normal(100, 8)
    items = np.repeat(normal(10, 8, 1), 12, axis=0)  # twelve twins of each item: ten of them are best
    rounded = [(items * (1 + 1e-7 * normal(120, 8, seed))).astype(np.float32) for seed in (2, 3)]
    assert naive((users, users), rounded, 10) < 1
    assert top_overlap((users, users), (rounded[0], rounded[1]), 10) == 1


def test_a_handful_of_items_is_asked_for_half_of_them():
    users, items = (normal(200, 4), normal(200, 4, 1)), (normal(6, 4, 2), normal(6, 4, 3))
    assert top_overlap(users, items, 10) == pytest.approx(naive(users, items, 3))
    assert top_overlap(users, items, 10) < 1


@pytest.mark.parametrize(("n_users", "n_items"), [(0, 9), (9, 0), (9, 1)])
def test_without_users_or_a_choice_of_items_there_is_no_figure(n_users, n_items):
    users, items = normal(n_users, 4), normal(n_items, 4)
    assert top_overlap((users, users), (items, items), 10) is None
