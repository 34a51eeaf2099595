"""Weighted draws agree with a naive walk along the running sum."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hier_dag.sample.streams import GroupedChoice, WeightedChoice, stream

UNIFORM = st.floats(0, 1, exclude_max=True)


def naive(weights: list[float], uniform: float) -> int:
    running = 0.0
    for position, weight in enumerate(weights):
        running += weight
        if uniform < running / sum(weights):
            return position
    return len(weights) - 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), UNIFORM)
def test_a_weighted_draw_is_the_inverse_of_the_running_sum(weights, uniform):
    drawn = WeightedChoice(np.array(weights)).draw(np.array([uniform]))
    assert drawn[0] == naive(weights, uniform)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), max_size=20),
    st.integers(0, 4),
    UNIFORM,
)
def test_a_grouped_draw_never_leaves_its_group(entries, group, uniform):
    groups = np.array([g for g, _ in entries], dtype=np.int64)
    values = np.arange(len(entries)) + 100
    weights = np.array([w for _, w in entries], dtype=np.float64)
    drawn = GroupedChoice(groups, values, weights, 5).draw(np.array([group]), np.array([uniform]))[0]
    members = values[groups == group]
    assert (drawn in members) if len(members) else drawn == -1


def test_a_grouped_draw_follows_the_weights():
    choice = GroupedChoice(np.array([2, 0, 2, 0]), np.array([7, 8, 9, 10]), np.array([3.0, 1.0, 1.0, 1.0]), 3)
    n = 20_000
    drawn = choice.draw(np.full(n, 2), stream(0, "test").random(n))
    assert set(drawn) == {7, 9}
    assert abs((drawn == 7).mean() - 0.75) < 0.02


def test_streams_of_different_purposes_and_blocks_differ():
    drawn = {
        tuple(stream(*key).random(3)) for key in ((0, "a"), (0, "b"), (1, "a"), (0, "a", 0), (0, "a", 1))
    }
    assert len(drawn) == 5
    assert stream(0, "a", 1).random() == stream(0, "a", 1).random()
