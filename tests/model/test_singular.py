import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.model.singular import leading_directions


def matrix(dense):
    return sp.csr_array(np.asarray(dense, np.float32))


def spectrum(n, m, values, seed=0):
    """A dense matrix of these singular values."""
    rng = np.random.default_rng(seed)
    u, v = (np.linalg.qr(rng.normal(size=(side, len(values))))[0] for side in (n, m))
    return (u * np.array(values)) @ v.T


@pytest.mark.parametrize("shape", [(30, 12), (12, 30), (12, 12)])
@pytest.mark.parametrize("rank", [1, 4, 12, 50])
def test_the_leading_directions_are_those_of_a_dense_decomposition(shape, rank):
    dense = spectrum(*shape, np.linspace(3, 0.5, 12))
    sigma, v = leading_directions(matrix(dense), rank, seed=0)
    _, want, right = np.linalg.svd(dense)
    r = min(rank, 12)
    np.testing.assert_allclose(sigma, want[:r], rtol=1e-5)
    np.testing.assert_allclose(np.abs((v * right[:r]).sum(axis=1)), 1, atol=1e-5)
    assert (v[np.arange(r), np.abs(v).argmax(axis=1)] > 0).all()
    assert v.dtype == sigma.dtype == np.float32


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6), n=st.integers(3, 40), m=st.integers(3, 40), rank=st.integers(1, 3),
    asked=st.integers(1, 45),
)  # fmt: skip
def test_a_matrix_of_low_rank_gives_no_more_than_its_rank(seed, n, m, rank, asked):
    dense = spectrum(n, m, np.linspace(2, 1, rank), seed)
    sigma, v = leading_directions(matrix(dense), asked, seed)
    assert len(sigma) == len(v) == min(rank, asked)
    np.testing.assert_allclose(v @ v.T, np.eye(len(v)), atol=1e-4)


@pytest.mark.parametrize("dense", [np.zeros((0, 5)), np.zeros((5, 0)), np.zeros((4, 6)), np.zeros((0, 0))])
def test_nothing_has_no_direction(dense):
    for asked in (1, 3, 10):
        sigma, v = leading_directions(matrix(dense), asked, seed=0)
        assert (sigma.shape, v.shape) == ((0,), (0, dense.shape[1]))
    # Stored zeros are no entry either.
    stored = sp.csr_array((np.zeros(2, np.float32), ([0, 1], [1, 2])), shape=(9, 9))
    assert len(leading_directions(stored, 2, seed=0)[0]) == 0


@pytest.mark.parametrize(
    "dense",
    [np.ones((40, 30)), np.kron(np.eye(15), np.ones((2, 3))), np.eye(25)],
    ids=["flat", "equal", "eye"],
)
def test_equal_and_missing_singular_values_come_out_alike_every_time(dense):
    # The iteration meets an invariant subspace, and restarts from random vectors.
    first = leading_directions(matrix(dense), 6, seed=1)
    for _ in range(3):
        again = leading_directions(matrix(dense), 6, seed=1)
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, other)
