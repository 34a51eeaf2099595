import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.errors import TrainingError
from hier_dag.evaluate.ranking import RankingTask, rank_tests
from hier_dag.graph.csr import from_coo


def make_task(rng, n_users, n_items, n_known=3):
    """Every user tests 1.. items and masks others; rows are shuffled positions, item ids have gaps."""
    test, masked = [], []
    for u in range(n_users):
        order = rng.permutation(n_items)
        n_test = rng.integers(1, max(2, n_items // 2 + 1))
        test += [(u, i) for i in order[:n_test]]
        masked += [(u, i) for i in order[n_test : n_test + n_known]]
    pairs = [np.array(x, dtype=np.int64).reshape(-1, 2) for x in (test, masked)]
    csr = [from_coo(x[:, 0], x[:, 1], n_users, n_items) for x in pairs]
    return RankingTask(rng.permutation(n_users), np.arange(n_items) * 7 + 3, *csr)


def naive_ranks(scores, task):
    out = []
    for u, row in enumerate(task.rows):
        known = set(task.masked.indices[task.masked.indptr[u] : task.masked.indptr[u + 1]].tolist())
        left = [i for i in range(scores.shape[1]) if i not in known]
        order = sorted(left, key=lambda i: -scores[row, i])
        own = task.test.indices[task.test.indptr[u] : task.test.indptr[u + 1]]
        out += [order.index(i) + 1 for i in own.tolist()]
    return np.array(out)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000), users=st.integers(1, 8), items=st.integers(1, 12), block=st.integers(1, 40)
)
def test_ranks_equal_a_sort_of_the_unmasked_catalogue_whatever_the_block(seed, users, items, block):
    rng = np.random.default_rng(seed)
    task = make_task(rng, users, items)
    scores = rng.permutation(users * items).reshape(users, items).astype(np.float32) - users * items / 2
    ranks = rank_tests(lambda rows: scores[rows], task, seed, block_entries=block)
    np.testing.assert_array_equal(ranks, naive_ranks(scores, task))


def test_ties_fall_uniformly_and_distinctly():
    n_users, n_items = 400, 5
    everyone = np.repeat(np.arange(n_users), n_items)
    test = from_coo(everyone, np.tile(np.arange(n_items), n_users), n_users, n_items)
    nothing = from_coo(everyone[:0], everyone[:0], n_users, n_items)
    task = RankingTask(np.arange(n_users), np.arange(n_items), test, nothing)

    def ranks(seed):
        return rank_tests(lambda rows: np.zeros((len(rows), n_items), np.float32), task, seed)

    places = ranks(0).reshape(n_users, n_items)
    assert (np.sort(places, axis=1) == np.arange(1, n_items + 1)).all()
    frequency = np.stack([(places == rank).mean(axis=0) for rank in range(1, n_items + 1)])
    assert np.abs(frequency - 1 / n_items).max() < 0.08
    np.testing.assert_array_equal(ranks(0), ranks(0))
    assert (ranks(0) != ranks(1)).any()


def test_order_of_the_catalogue_moves_no_rank_even_among_ties():
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 3, (6, 9)).astype(np.float32)
    task = make_task(rng, 6, 9, n_known=0)
    ranks = rank_tests(lambda rows: scores[rows], task, 5)
    order = rng.permutation(9)
    at = np.argsort(order)
    owner = task.test.row_of_entry()
    moved_test = from_coo(owner, at[task.test.indices], 6, 9)
    moved = RankingTask(task.rows, task.items[order], moved_test, task.masked)
    moved_ranks = rank_tests(lambda rows: scores[rows][:, order], moved, 5)
    back = np.lexsort((order[moved_test.indices], moved_test.row_of_entry()))
    np.testing.assert_array_equal(moved_ranks[back], ranks)


def test_negative_zero_ties_with_zero():
    one = np.zeros(1, np.int64)
    test = from_coo(one, one, 1, 2)
    task = RankingTask(one, np.arange(2), test, from_coo(one[:0], one[:0], 1, 2))
    signed = np.array([[-0.0, 0.0]], np.float32)
    first = {int(rank_tests(lambda rows: signed[rows], task, seed)[0]) for seed in range(20)}
    assert first == {1, 2}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad):
    task = make_task(np.random.default_rng(0), 2, 4)
    scores = np.zeros((2, 4), np.float32)
    scores[1, 2] = bad
    with pytest.raises(TrainingError, match="NaN or infinite"):
        rank_tests(lambda rows: scores[rows], task, 0)
