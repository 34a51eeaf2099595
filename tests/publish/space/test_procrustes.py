"""The best rotation is the textbook's where vectors decide it, and the nearest to none where they do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes

from hier_dag.publish.space.procrustes import best_rotation


def draw(rows, dim, seed):
    return np.random.default_rng(seed).normal(size=(rows, dim))


def turn(dim, seed):
    return np.linalg.qr(draw(dim, dim, seed))[0]


def is_orthogonal(rotation):
    return np.abs(rotation @ rotation.T - np.eye(len(rotation))).max() < 1e-12


@given(dim=st.integers(1, 9), extra=st.integers(0, 20), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_rotation_that_was_applied_is_found(dim, extra, seed):
    live, applied = draw(dim + extra, dim, seed), turn(dim, seed + 1)
    assert best_rotation((live @ applied).T @ live) == pytest.approx(applied.T, abs=1e-8)


@given(dim=st.integers(1, 9), extra=st.integers(0, 20), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_it_is_scipys_where_vectors_decide_it(dim, extra, seed):
    new, live = draw(dim + extra, dim, seed), draw(dim + extra, dim, seed + 1)
    assert best_rotation(new.T @ live) == pytest.approx(orthogonal_procrustes(new, live)[0], abs=1e-6)


def test_in_the_plane_it_is_the_best_of_all_angles_with_and_without_a_mirror():
    new, live = draw(5, 2, 0), draw(5, 2, 1)
    angles = np.linspace(0, 2 * np.pi, 3600)
    turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in angles]
    turns += [t @ np.diag([1, -1]) for t in turns]
    residuals = [np.linalg.norm(new @ t - live) for t in turns]
    found = np.linalg.norm(new @ best_rotation(new.T @ live) - live)
    assert found <= min(residuals)
    assert found == pytest.approx(min(residuals), rel=1e-5)


@given(rows=st.integers(0, 6), dim=st.integers(7, 10), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_with_fewer_vectors_than_dimensions_it_is_orthogonal_and_still_brings_them_back(rows, dim, seed):
    live, applied = draw(rows, dim, seed), turn(dim, seed + 1)
    rotation = best_rotation((live @ applied).T @ live)
    assert is_orthogonal(rotation)
    assert live @ applied @ rotation == pytest.approx(live, abs=1e-8)


@given(rows=st.integers(0, 6), dim=st.integers(7, 10), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_what_vectors_leave_open_hangs_on_no_choice_of_singular_vectors(rows, dim, seed):
    # In another basis LAPACK returns another basis of the silent subspace; the answer must be the same turn.
    new, live, basis = draw(rows, dim, seed), draw(rows, dim, seed + 1), turn(dim, seed + 2)
    plain = best_rotation(new.T @ live)
    turned = best_rotation((new @ basis).T @ (live @ basis))
    assert basis @ turned @ basis.T == pytest.approx(plain, abs=1e-6)


def test_without_any_vector_nothing_is_turned():
    assert np.array_equal(best_rotation(np.zeros((4, 4))), np.eye(4))


def test_one_vector_turns_only_the_plane_that_it_moves_in():
    new, live = np.eye(5)[:1], (np.eye(5)[:1] + np.eye(5)[1:2]) / np.sqrt(2)
    rotation = best_rotation(new.T @ live)
    assert new @ rotation == pytest.approx(live)
    assert rotation[2:, 2:] == pytest.approx(np.eye(3))


def test_where_even_the_nearest_to_none_is_not_unique_rounding_does_not_choose():
    # e0 goes to e1: e1 may go to e0 or to −e0, and both are as far from the identity.
    cross = np.zeros((2, 2))
    cross[0, 1] = 1.0
    first = best_rotation(cross)
    assert is_orthogonal(first)
    for sign in (1e-15, -1e-15):
        assert best_rotation(cross + sign * np.array([[1, 1], [1, -1]])) == pytest.approx(first, abs=1e-9)
