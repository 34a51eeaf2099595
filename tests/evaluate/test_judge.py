import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.evaluate.judge import judge
from hier_dag.evaluate.metrics import declared_metrics, user_metrics
from hier_dag.evaluate.ranking import NO_ITEM, RankingTask, rank_catalogue
from hier_dag.evaluate.slices import SLICES
from hier_dag.graph.csr import from_coo
from tests.evaluate.test_ranking import make_task

CUTOFFS = (2, 5)


def test_top_lists_are_the_head_of_a_sort_without_the_masked_items():
    rng = np.random.default_rng(0)
    task = make_task(rng, 7, 9)
    scores = rng.permutation(63).reshape(7, 9).astype(np.float32)
    (ranking,) = rank_catalogue(lambda rows: scores[rows], task, (0,), (3, 9), block_entries=20)
    for u, row in enumerate(task.rows):
        known = set(task.masked.indices[task.masked.indptr[u] : task.masked.indptr[u + 1]].tolist())
        want = [i for i in np.argsort(-scores[row]).tolist() if i not in known]
        assert ranking.top[u].tolist() == want + [NO_ITEM] * len(known)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), block=st.integers(1, 60), levels=st.integers(1, 5))
def test_ties_across_a_cutoff_fall_as_the_ranks_say_whatever_block_and_order(seed, block, levels):
    rng = np.random.default_rng(seed)
    n, m = 6, 8
    everyone = np.repeat(np.arange(n), m)
    test = from_coo(everyone, np.tile(np.arange(m), n), n, m)
    task = RankingTask(np.arange(n), np.arange(m) * 3 + 1, test, from_coo(everyone[:0], everyone[:0], n, m))
    scores = rng.integers(0, levels, (n, m)).astype(np.float32)
    rankings = rank_catalogue(lambda rows: scores[rows], task, (0, 1), (2, 5), block)
    order = rng.permutation(m)
    moved = RankingTask(task.rows, task.items[order], test, task.masked)
    again = rank_catalogue(lambda rows: scores[rows][:, order], moved, (0, 1), (2, 5))
    for one, other in zip(rankings, again, strict=True):
        ranks = one.ranks.reshape(n, m)
        np.testing.assert_array_equal(ranks[:, order], other.ranks.reshape(n, m))
        for k in (2, 5):
            for u in range(n):
                assert set(one.top[u, :k].tolist()) == set(np.flatnonzero(ranks[u] <= k).tolist())
                assert set(one.top[u, :k].tolist()) == set(order[other.top[u, :k]].tolist())


def judged(task, scores, known, zero_shot=False, seeds=(0, 1), blocks=1):
    scorers = [lambda rows: scores[rows]] * blocks
    origin = np.repeat(np.array([0, 2], np.int8), [4, len(task.rows) - 4])
    return judge(scorers, task, seeds, CUTOFFS, known, origin, zero_shot)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_metrics_stay_between_zero_and_one_and_do_not_know_the_order_of_items(seed):
    rng = np.random.default_rng(seed)
    task = make_task(rng, 8, 10)
    scores = rng.integers(0, 4, (8, 10)).astype(np.float32)
    known = rng.integers(0, 3, 10)
    made = judged(task, scores, known)
    for values in (made.values, made.cold_items[~np.isnan(made.cold_items[:, 0])]):
        assert ((values >= 0) & (values <= 1)).all()
    order = rng.permutation(10)
    at = np.argsort(order)

    def moved(csr):
        return from_coo(csr.row_of_entry(), at[csr.indices], 8, 10)

    other = RankingTask(task.rows, task.items[order], moved(task.test), moved(task.masked))
    again = judged(other, scores[:, order], known[order])
    np.testing.assert_array_equal(made.exposures[..., order], again.exposures)
    np.testing.assert_allclose(made.values, again.values, rtol=1e-6)
    np.testing.assert_allclose(made.cold_items, again.cold_items, rtol=1e-6)
    np.testing.assert_allclose(made.novelty, again.novelty, rtol=1e-6)


def test_cold_items_are_those_without_a_few_shot_interaction_ranked_among_all():
    rng = np.random.default_rng(3)
    task = make_task(rng, 8, 10, n_known=0)
    scores = rng.permutation(80).reshape(8, 10).astype(np.float32)
    known = np.array([0, 5, 0, 1, 2, 0, 3, 9, 1, 4])
    made = judged(task, scores, known, seeds=(0,))
    ranking = rank_catalogue(lambda rows: scores[rows], task, (0,), CUTOFFS)[0]
    for u in range(8):
        own = slice(task.test.indptr[u], task.test.indptr[u + 1])
        ranks = ranking.ranks[own][known[task.test.indices[own]] == 0]
        if len(ranks) == 0:
            assert np.isnan(made.cold_items[u]).all()
        else:
            want = user_metrics(ranks, np.array([0, len(ranks)]), CUTOFFS)[0]
            np.testing.assert_allclose(made.cold_items[u], want)
    assert judged(task, scores, known, zero_shot=True).cold_items is None


def test_exposure_of_all_users_is_that_of_its_slices_and_one_scorer_stands_for_all_seeds():
    rng = np.random.default_rng(4)
    task = make_task(rng, 9, 12)
    scores = rng.integers(0, 5, (9, 12)).astype(np.float32)
    known = rng.integers(0, 3, 12)
    made, each = judged(task, scores, known), judged(task, scores, known, blocks=2)
    whole, history, cold = (made.exposures[:, SLICES.index(s)] for s in ("all", "with_history", "cold"))
    np.testing.assert_array_equal(whole, history + cold)
    assert whole.sum(axis=-1).max() <= 9 * 5
    np.testing.assert_array_equal(made.exposures, each.exposures)
    np.testing.assert_array_equal(made.values, each.values)
    assert made.values.shape == (9, len(declared_metrics(CUTOFFS)))


def test_scorers_must_match_the_seeds():
    task = make_task(np.random.default_rng(0), 5, 6)
    with pytest.raises(ValueError, match="zip"):
        judged(task, np.zeros((5, 6), np.float32), np.zeros(6, np.int64), seeds=(0, 1, 2), blocks=2)
