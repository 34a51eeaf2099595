import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.model import exemplar_clusters as module
from hier_dag.model.exemplar_clusters import memberships, nearest_centroid, spherical_kmeans
from hier_dag.model.spectral import unit_rows


def planted(clusters=4, each=25, dim=8, noise=0.1, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(rng.normal(size=(dim, clusters)))[0].T
    label = rng.permutation(np.repeat(np.arange(clusters), each))
    x = unit_rows((centres[label] + noise * rng.normal(size=(len(label), dim))).astype(np.float32))
    return x, label, centres


def naive_memberships(x, centroids, temperature):
    out = np.zeros((len(x), len(centroids)))
    for j, row in enumerate(x):
        if row.any():
            e = [np.exp(float(row @ c) / temperature) for c in centroids]
            out[j] = [value / sum(e) for value in e]
    return out


def objective(x, centroids):
    return float((x @ centroids.T).max(axis=1).sum())


def test_planted_clusters_are_found():
    x, label, centres = planted()
    # One start of k-means may merge two clusters; the best of a few must not.
    best = max((spherical_kmeans(x, 4, seed) for seed in range(5)), key=lambda c: objective(x, c))
    found = nearest_centroid(x, best)
    assert len({(a, b) for a, b in zip(found.tolist(), label.tolist(), strict=True)}) == 4
    np.testing.assert_allclose((best @ centres.T).max(axis=0), 1, atol=0.05)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6), n=st.integers(1, 12), k=st.integers(1, 20), dim=st.integers(1, 4),
    duplicates=st.booleans(),
)  # fmt: skip
def test_centroids_are_unit_and_no_more_than_points(seed, n, k, dim, duplicates):
    x = np.random.default_rng(seed).normal(size=(n, dim))
    x = unit_rows((np.repeat(x[:1], n, axis=0) if duplicates else x).astype(np.float32))
    centroids = spherical_kmeans(x, k, seed)
    assert centroids.shape == (min(k, n), dim)
    np.testing.assert_allclose(np.linalg.norm(centroids, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(centroids, spherical_kmeans(x, k, seed))
    if duplicates:
        np.testing.assert_allclose(centroids, np.repeat(x[:1], len(centroids), axis=0), atol=1e-5)


def test_opposite_points_leave_no_zero_centroid():
    x = np.array([[1, 0], [-1, 0], [1, 0], [-1, 0]], np.float32)
    np.testing.assert_allclose(np.linalg.norm(spherical_kmeans(x, 1, 0), axis=1), 1)


def test_each_centroid_is_the_direction_of_what_is_nearest_to_it():
    x, _, _ = planted(clusters=3, seed=2)
    centroids = spherical_kmeans(x, 3, 1)
    own = nearest_centroid(x, centroids)
    for k in np.unique(own):
        mean = x[own == k].sum(axis=0)
        np.testing.assert_allclose(centroids[k], mean / np.linalg.norm(mean), atol=1e-5)


def test_the_nearest_centroid_is_the_same_in_blocks(monkeypatch):
    x, _, centres = planted(seed=5)
    whole = nearest_centroid(x, centres)
    monkeypatch.setattr(module, "_BLOCK", 7)
    np.testing.assert_array_equal(nearest_centroid(x, centres), whole)
    np.testing.assert_array_equal(whole, [int(np.argmax([row @ c for c in centres])) for row in x])
    assert nearest_centroid(x[:0], centres).shape == (0,)


@pytest.mark.parametrize("temperature", [0.01, 0.2, 5.0])
def test_memberships_are_a_softmax_and_zero_rows_belong_to_nothing(temperature):
    x, _, centres = planted(each=4, seed=3)
    x[[0, 5]] = 0
    e = memberships(x, centres.astype(np.float32), temperature)
    np.testing.assert_allclose(e, naive_memberships(x, centres, temperature), atol=1e-4)
    np.testing.assert_allclose(e.sum(axis=1), x.any(axis=1), atol=1e-5)
    assert e.dtype == np.float32
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", 3)
        np.testing.assert_allclose(memberships(x, centres.astype(np.float32), temperature), e, atol=1e-6)
    assert memberships(x[:0], centres.astype(np.float32), temperature).shape == (0, 4)
