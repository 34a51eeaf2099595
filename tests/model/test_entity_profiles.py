import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.graph.csr import from_coo
from hier_dag.model.entity_profiles import entity_profiles


def csr(dense):
    return from_coo(*np.nonzero(dense), *np.shape(dense))


def naive(links, taken):
    """tf-idf rows of items and users, length 1, and the share of known entities, by the letter."""
    m, c = links.shape
    weight = [math.log(m / links[:, e].sum()) if links[:, e].any() else 0.0 for e in range(c)]
    sold = taken.any(axis=0)

    def unit(row):
        length = math.sqrt(sum(x * x for x in row))
        return [x / length for x in row] if length else row

    items = [[links[i, e] * weight[e] for e in range(c)] for i in range(m)]
    users = [
        [sum(items[i][e] for i in np.flatnonzero(taken[u])) for e in range(c)] for u in range(len(taken))
    ]
    known = []
    for i in range(m):
        own = np.flatnonzero(links[i])
        known.append(np.mean([(links[:, e] * sold).any() for e in own]) if len(own) else 0.0)
    return np.array([unit(r) for r in users]), np.array([unit(r) for r in items]), known


def random_platform(seed, users=6, items=10, entities=7):
    rng = np.random.default_rng(seed)
    links = rng.random((items, entities)) < rng.choice([0.1, 0.4])
    taken = rng.random((users, items)) < 0.2
    taken[:, items // 2 :] = False  # items of the target
    return links, taken


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6), items=st.integers(2, 12), entities=st.integers(1, 15), extra=st.integers(0, 9)
)
def test_products_are_cosines_where_all_directions_are_kept(seed, items, entities, extra):
    links, taken = random_platform(seed, 6, items, entities)
    got = entity_profiles(csr(links), csr(taken), min(items, entities) + extra, 0)
    users, rows, known = naive(links, taken)
    np.testing.assert_allclose(got.users @ got.items.T, users @ rows.T, atol=1e-4)
    np.testing.assert_allclose(got.items @ got.items.T, rows @ rows.T, atol=1e-4)
    np.testing.assert_allclose(got.known, known, atol=1e-6)
    np.testing.assert_allclose(got.breadth, np.log([1 + (row != 0).sum() for row in links]), atol=1e-6)
    # As many columns as there are directions, however many entities exist.
    assert got.users.shape[1] == got.items.shape[1] <= min(items, entities)


def test_fewer_directions_are_the_best_projection():
    links, taken = random_platform(3, 8, 30, 20)
    users, rows, _ = naive(links, taken)
    got = entity_profiles(csr(links), csr(taken), 6, 0)
    basis = np.linalg.svd(rows)[2][:6]
    np.testing.assert_allclose(got.users @ got.items.T, users @ basis.T @ basis @ rows.T, atol=1e-4)
    np.testing.assert_allclose(got.items @ got.items.T, rows @ basis.T @ basis @ rows.T, atol=1e-4)
    assert got.users.shape == (8, 6)
    again = entity_profiles(csr(links), csr(taken), 6, 0)
    np.testing.assert_array_equal(again.users, got.users)
    np.testing.assert_array_equal(again.items, got.items)


@pytest.mark.parametrize("dim", [1, 3, 50])
@pytest.mark.parametrize(
    "links",
    [np.zeros((9, 6)), np.zeros((9, 0)), np.zeros((0, 6)), np.ones((9, 1)), np.ones((9, 6))],
    ids=["no link", "no entity", "no item", "one entity on all", "all on all"],
)
def test_entities_that_tell_nothing_give_zero_profiles(links, dim):
    taken = np.zeros((4, len(links)), bool)
    taken[1:3, :2] = True
    got = entity_profiles(csr(links), csr(taken), dim, 0)
    assert (len(got.users), len(got.items), len(got.known)) == (4, len(links), len(links))
    assert not got.users.any()
    assert not got.items.any()
    assert got.known.tolist() == [1.0 if row.any() else 0.0 for row in links]


def test_without_any_history_users_are_zero_and_every_entity_is_news():
    links, taken = random_platform(1)
    got = entity_profiles(csr(links), csr(np.zeros_like(taken)), 4, 0)
    assert not got.users.any()
    assert not got.known.any()
    assert got.items.any()
