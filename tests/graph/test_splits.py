"""Splits: every pair in one place, shares as declared, orders that nothing else moves."""

import ibis
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hier_dag.config.splits import GlobalTimeSplit, PerUserOrderSplit, SeededHashSplit
from hier_dag.graph.knowledge_graph import TEST, TRAIN, VALIDATION
from hier_dag.graph.splits import assign_splits, distinct_pairs
from tests.graph.conftest import DAY, events_table


def split(rows, how):
    con = ibis.duckdb.connect()
    try:
        table = assign_splits(distinct_pairs(con.create_table("events", events_table(rows))), how)
        columns = ["user_id", "item_id", "split", "shot_rank", "share_rank", "first"]
        return table.select(columns).order_by("user_id", "item_id").to_pyarrow().to_pandas()
    finally:
        con.disconnect()


ROWS = [(f"u{u}", f"i{i}", (u * 7 + i * 3) % 28, i, 1.0) for u in range(40) for i in range(u % 9 + 1)]


@pytest.mark.parametrize("test", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("kind", [SeededHashSplit, PerUserOrderSplit])
def test_each_user_gives_the_declared_share_to_test(kind, test):
    found = split(
        ROWS, kind(kind=kind.model_fields["kind"].annotation.__args__[0], test=test, validation=0.2)
    )
    n = found.groupby("user_id").size()
    tested = found[found.split == TEST].groupby("user_id").size().reindex(n.index, fill_value=0)
    assert (tested == np.ceil(n * test - 1e-9)).all()


def test_the_validation_share_holds_over_the_domain_although_most_users_are_small():
    rows = [(f"u{u}", f"i{i}", None, None, 1.0) for u in range(3000) for i in range(2)]
    found = split(rows, SeededHashSplit(kind="seeded_hash", test=0.5, validation=0.2))
    rest = found[found.split != TEST]
    assert (rest.split == VALIDATION).mean() == pytest.approx(0.2, abs=0.03)


def test_per_user_order_trains_on_the_past():
    found = split(ROWS, PerUserOrderSplit(kind="per_user_order", test=0.4, validation=0.25))
    for _, mine in found.groupby("user_id"):
        in_order = mine.sort_values(["first"], kind="stable")["split"].to_numpy()
        last = [mine[mine.split == s]["first"].max() for s in (TRAIN, VALIDATION, TEST)]
        first = [mine[mine.split == s]["first"].min() for s in (TRAIN, VALIDATION, TEST)]
        assert len(in_order) == 1 or not (last[0] > first[2])


def test_global_time_cuts_at_the_instants():
    found = split(
        ROWS, GlobalTimeSplit(kind="global_time", validation_from="2026-01-11", test_from="2026-01-16")
    )
    place = np.where(found["first"] < DAY[10], TRAIN, np.where(found["first"] < DAY[15], VALIDATION, TEST))
    assert (found.split == place).all()


def test_shots_count_up_within_each_users_training_pairs():
    found = split(ROWS, SeededHashSplit(kind="seeded_hash", test=0.3, validation=0.2))
    train = found[found.split == TRAIN]
    for _, ranks in train.groupby("user_id")["shot_rank"]:
        assert sorted(ranks) == list(range(1, len(ranks) + 1))
    assert (found[found.split != TRAIN].shot_rank == 0).all()


def test_a_share_of_the_domain_is_that_share_whatever_the_split_drew():
    rows = [(f"u{u}", f"i{i}", None, None, 1.0) for u in range(500) for i in range(20)]
    found = split(rows, SeededHashSplit(kind="seeded_hash", test=0.5, validation=0.2))
    train = found[found.split == TRAIN]
    for share in (0.01, 0.1, 0.5):
        assert (train.share_rank < share).mean() == pytest.approx(share, rel=0.2)
    assert found.share_rank.between(0, 1, inclusive="left").all()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.integers(0, 3))
def test_row_order_and_other_users_never_move_a_pair(random, seed):
    how = SeededHashSplit(kind="seeded_hash", seed=seed)
    shuffled = list(ROWS)
    random.shuffle(shuffled)
    before, after = split(ROWS, how), split([*shuffled, ("newcomer", "i1", 0, 0, 1.0)], how)
    after = after[after.user_id != "newcomer"].reset_index(drop=True)
    assert before.equals(after)


def test_another_seed_draws_another_split():
    one, two = (split(ROWS, SeededHashSplit(kind="seeded_hash", seed=s)) for s in (0, 1))
    assert (one.split != two.split).any()
