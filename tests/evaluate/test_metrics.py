import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hier_dag.evaluate.metrics import declared_metrics, user_metrics


def naive(ranks, k):
    hits = [r for r in ranks if r <= k]
    ideal = sum(1 / math.log2(1 + r) for r in range(1, min(len(ranks), k) + 1))
    return [float(bool(hits)), sum(1 / math.log2(1 + r) for r in hits) / ideal, len(hits) / len(ranks)]


@given(st.lists(st.sets(st.integers(1, 30), min_size=1, max_size=15), min_size=1, max_size=6))
def test_metrics_equal_their_definitions(users):
    ranks = np.array([r for user in users for r in sorted(user)], dtype=np.int64)
    indptr = np.cumsum([0, *(len(user) for user in users)])
    got = user_metrics(ranks, indptr, (3, 10))
    assert [(m.name, m.k) for m in declared_metrics((3, 10))] == [
        ("hr", 3), ("ndcg", 3), ("recall", 3), ("hr", 10), ("ndcg", 10), ("recall", 10), ("mrr", 0),
    ]  # fmt: skip
    want = [[*naive(user, 3), *naive(user, 10), 1 / min(user)] for user in users]
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_a_perfect_list_scores_one_and_a_hopeless_one_zero():
    got = user_metrics(np.array([1, 2, 3, 99]), np.array([0, 3, 4]), (2,))
    np.testing.assert_allclose(got[0], [1, 1, 2 / 3, 1])
    np.testing.assert_allclose(got[1], [0, 0, 0, 1 / 99], rtol=1e-6)


def test_no_user_gives_no_row():
    assert user_metrics(np.zeros(0, np.int64), np.zeros(1, np.int64), (10, 50)).shape == (0, 7)
