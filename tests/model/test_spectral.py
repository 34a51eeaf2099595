import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.graph.csr import from_coo
from hier_dag.model.spectral import departures, ones, spectral_vectors, unit_rows


def graph(dense):
    user, item = np.nonzero(dense)
    return from_coo(user, item, *np.shape(dense))


def naive(dense, dim):
    """Users' and items' vectors from a dense decomposition, row by row, in float64."""
    a = np.asarray(dense, float)
    du, di = a.sum(axis=1) + 5, a.sum(axis=0) + 5
    _, sigma, v = np.linalg.svd(a / np.sqrt(np.outer(du, di)))
    rank = min(dim, int((sigma > 1e-4 * sigma[0]).sum()))
    items = v[:rank].T * np.sqrt(sigma[:rank])
    users = np.array(
        [sum((items[j] / np.sqrt(di[j]) for j in np.flatnonzero(row)), np.zeros(rank)) for row in a]
    )
    out = []
    for x, known in ((users, a.any(axis=1)), (items, a.any(axis=0))):
        apart = x - x[known].mean(axis=0)
        length = np.linalg.norm(apart, axis=1)
        rows = [p / n if k and n > 1e-4 else 0 * p for p, n, k in zip(apart, length, known, strict=True)]
        out.append(np.array(rows))
    return out


def random_graph(seed, n=14, m=9, density=0.35):
    return (np.random.default_rng(seed).random((n, m)) < density).astype(float)


def assert_same_up_to_signs(got, want):
    np.testing.assert_allclose(got @ got.T, want @ want.T, atol=2e-3)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 14), m=st.integers(2, 14))
def test_all_directions_equal_a_dense_decomposition(seed, n, m):
    dense = random_graph(seed, n, m)
    if not dense.any():
        return
    for got, want in zip(spectral_vectors(graph(dense), 14, 0), naive(dense, 14), strict=True):
        assert got.dtype == np.float32
        length = np.linalg.norm(got, axis=1)
        assert (np.isclose(length, 1, atol=1e-5) | (length == 0)).all()
        # A row a rounding error away from the mean may fall on either side of what counts as zero.
        if np.array_equal(length > 0, want.any(axis=1)):
            assert_same_up_to_signs(got, want)


@pytest.mark.parametrize("dim", [1, 2, 4])
@pytest.mark.parametrize("shape", [(30, 11), (11, 30)])
def test_the_leading_directions_equal_those_of_a_dense_decomposition(dim, shape):
    dense = random_graph(3, *shape)
    users, items = spectral_vectors(graph(dense), dim, 0)
    assert (users.shape, items.shape) == ((shape[0], dim), (shape[1], dim))
    want_users, want_items = naive(dense, dim)
    assert_same_up_to_signs(users, want_users)
    assert_same_up_to_signs(items, want_items)


def test_a_graph_of_lower_rank_leaves_the_last_coordinates_zero():
    dense = np.zeros((12, 8))
    dense[:6, :4] = dense[6:, 4:7] = 1
    users, items = spectral_vectors(graph(dense), 5, 0)
    assert not users[:, 2:].any()
    assert not items[:, 2:].any()
    assert users[0] @ users[5] == pytest.approx(1, abs=1e-5)
    assert users[0] @ users[6] == pytest.approx(-1, abs=1e-5)
    assert not items[7].any()


@pytest.mark.parametrize(
    "dense",
    [np.zeros((3, 4)), np.zeros((0, 0)), np.zeros((0, 4)), np.zeros((3, 0)), np.ones((1, 1)), np.ones((1, 5)),
     np.ones((5, 1)), np.ones((6, 5))],
)  # fmt: skip
def test_where_nothing_tells_users_apart_vectors_are_zero(dense):
    users, items = spectral_vectors(graph(dense), 3, 0)
    assert (users.shape, items.shape) == ((dense.shape[0], 3), (dense.shape[1], 3))
    assert not users.any()
    assert not items.any()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_same_seed_gives_the_same_bits(seed):
    dense = random_graph(seed, 12, 12, 0.2)
    for one, other in zip(
        spectral_vectors(graph(dense), 4, seed), spectral_vectors(graph(dense), 4, seed), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_permuting_users_permutes_their_rows():
    dense, order = random_graph(1, 20, 9), np.random.default_rng(0).permutation(20)
    users, items = spectral_vectors(graph(dense), 4, 0)
    moved_users, moved_items = spectral_vectors(graph(dense[order]), 4, 0)
    np.testing.assert_allclose(moved_users, users[order], atol=1e-4)
    np.testing.assert_allclose(moved_items, items, atol=1e-4)


def test_ones_is_the_pattern_and_zero_rows_keep_no_direction():
    dense = random_graph(2, 5, 4)
    np.testing.assert_array_equal(ones(graph(dense)).toarray(), dense)
    x = np.array([[3, 4], [0, 0]], np.float32)
    np.testing.assert_allclose(unit_rows(x), [[0.6, 0.8], [0, 0]])


def test_a_row_like_all_others_departs_nowhere():
    x = np.full((7, 3), 0.1, np.float32)
    assert not departures(x, x.mean(axis=0) * np.float32(1 + 1e-7), np.ones(7, bool)).any()
    x[2] = [0.1, 0.1, 0.4]
    known = np.arange(7) != 0
    apart = departures(x, np.float32([0.1, 0.1, 0.1]), known)
    np.testing.assert_allclose(apart[2], [0, 0, 1], atol=1e-6)
    assert np.flatnonzero(apart.any(axis=1)).tolist() == [2]
