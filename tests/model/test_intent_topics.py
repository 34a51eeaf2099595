import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.model import intent_topics as module
from hier_dag.model.intent_topics import fit_paths, fitting_users, intent_strength


def naive_update(h, a, phi):
    """One step of expectation maximisation of pLSA, by the letter, float64."""
    n, big_p, k = len(h), len(phi), h.shape[1]
    new_a, new_phi = np.zeros((n, big_p)), np.zeros((big_p, k))
    for u in range(n):
        for j in range(k):
            mix = sum(a[u, p] * phi[p, j] for p in range(big_p))
            for p in range(big_p):
                share = h[u, j] * a[u, p] * phi[p, j] / mix if mix > 0 else 0.0
                new_a[u, p] += share
                new_phi[p, j] += share
    return new_a / new_a.sum(axis=1, keepdims=True), new_phi / new_phi.sum(axis=1, keepdims=True)


def likelihood(h, a, phi):
    return float((h * np.log(np.maximum(np.asarray(a, float) @ phi, 1e-300))).sum())


def random_histories(seed, n, k, concentration=0.3):
    return np.random.default_rng(seed).dirichlet(np.full(k, concentration), n).astype(np.float32)


def closed(phi):
    """What closing weak paths makes of fitted ones."""
    kept = np.where(phi < 0.5 / phi.shape[1], 0, phi)
    return kept / kept.sum(axis=1, keepdims=True)


def test_fitting_is_expectation_maximisation_and_never_lowers_the_likelihood(monkeypatch):
    h = random_histories(0, 7, 5)
    start = np.maximum(module.spherical_kmeans(module.unit_rows(h), 3, 0), 0) + 1e-3
    phi = (start / start.sum(axis=1, keepdims=True)).astype(float)
    a = np.full((7, 3), 1 / 3)
    before = likelihood(h, a, phi)
    for steps in (1, 2, 5, 20):
        want_a, want_phi = a, phi
        for _ in range(steps):
            want_a, want_phi = naive_update(h, want_a, want_phi)
        monkeypatch.setattr(module, "_FIT", steps)
        np.testing.assert_allclose(fit_paths(h, 3, 0), closed(want_phi), atol=2e-4)
        now = likelihood(h, want_a, want_phi)
        assert now >= before - 1e-9
        before = now


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 8), k=st.integers(1, 6), big_p=st.integers(1, 4))
def test_each_further_update_raises_the_likelihood_of_users(seed, n, k, big_p):
    h, phi = random_histories(seed, n, k), random_histories(seed + 1, big_p, k, 2.0)
    last = -np.inf
    with pytest.MonkeyPatch.context() as patch:
        for steps in (1, 2, 3, 8):
            patch.setattr(module, "_INFER", steps)
            now = likelihood(h, intent_strength(h, phi), phi)
            assert now >= last - 1e-4
            last = now


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 10**6), n=st.integers(1, 40), k=st.integers(1, 30), intents=st.integers(1, 40),
    concentration=st.sampled_from([0.01, 0.1, 1.0, 10.0]), empty=st.integers(0, 5),
)  # fmt: skip
def test_paths_sum_to_one_and_every_intent_keeps_one_open(seed, n, k, intents, concentration, empty):
    h = np.vstack([random_histories(seed, n, k, concentration), np.zeros((empty, k), np.float32)])
    paths = fit_paths(h, intents, seed)
    assert paths.dtype == np.float32
    assert paths.shape == (min(n, intents), k)
    assert np.isfinite(paths).all()
    np.testing.assert_allclose(paths.sum(axis=1), 1, atol=1e-5)
    # Weak paths are exactly zero, and re-normalising only strengthens the others.
    assert (paths[paths > 0] >= 0.5 / k - 1e-7).all()
    strength = intent_strength(h, paths)
    assert np.isfinite(strength).all()
    assert not strength[n:].any()
    np.testing.assert_array_equal(paths, fit_paths(h, intents, seed))


def test_planted_topics_come_back():
    rng = np.random.default_rng(0)
    phi = np.zeros((3, 12), np.float32)
    for p in range(3):
        phi[p, 4 * p : 4 * p + 4] = rng.dirichlet(np.full(4, 5.0))
    a = rng.dirichlet(np.full(3, 0.3), 400).astype(np.float32)
    h = a @ phi
    best = max(
        (fit_paths(h, 3, seed) for seed in range(4)), key=lambda p: likelihood(h, intent_strength(h, p), p)
    )
    match = (phi @ best.T).argmax(axis=1)
    assert sorted(match) == [0, 1, 2]
    np.testing.assert_allclose(best[match], closed(phi), atol=0.03)
    assert ((best[match] > 0) == (closed(phi) > 0)).all()
    np.testing.assert_allclose(intent_strength(h, best)[:, match], a, atol=0.1)


def test_without_any_history_one_uniform_intent_stands_and_drives_nobody():
    paths = fit_paths(np.zeros((3, 4), np.float32), 5, 0)
    np.testing.assert_allclose(paths, np.full((1, 4), 0.25))
    assert not intent_strength(np.zeros((3, 4), np.float32), paths).any()
    assert intent_strength(np.zeros((0, 4), np.float32), paths).shape == (0, 1)


def test_strengths_sum_to_one_and_are_the_same_in_blocks():
    h = random_histories(4, 25, 6)
    h[3] = 0
    paths = fit_paths(h, 4, 0)
    whole = intent_strength(h, paths)
    np.testing.assert_allclose(whole.sum(axis=1), h.any(axis=1), atol=1e-5)
    parts = [intent_strength(h[start : start + 4], paths) for start in range(0, 25, 4)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


def test_a_history_that_no_open_path_reaches_has_no_intent():
    paths = np.array([[1, 0, 0]], np.float32)
    np.testing.assert_array_equal(
        intent_strength(np.array([[0, 1, 0], [0.5, 0.5, 0]], np.float32), paths), [[0], [1]]
    )


def test_at_most_so_many_users_fit_the_paths(monkeypatch):
    known = np.array([1, 4, 5, 9, 12])
    np.testing.assert_array_equal(fitting_users(known, 0), known)
    assert len(fitting_users(known[:0], 0)) == 0
    monkeypatch.setattr(module, "_FIT_USERS", 3)
    some = fitting_users(known, 0)
    assert len(set(some.tolist())) == 3
    assert set(some.tolist()) <= set(known.tolist())
    assert (np.diff(some) > 0).all()
    np.testing.assert_array_equal(some, fitting_users(known, 0))
    assert any(not np.array_equal(some, fitting_users(known, seed)) for seed in range(1, 5))
