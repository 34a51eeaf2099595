import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.model.spectral import unit_rows
from hier_dag.transfer import terms
from hier_dag.transfer.shots import Shots

KAPPA = 7.0


class Case:
    """A random few-shot domain with a user of no history, users alike, a bare item, items of one visitor."""

    def __init__(self, seed, n=7, m=6, density=0.3, d=4):
        rng = np.random.default_rng(seed)
        self.n, self.m = n, m
        held = rng.random((n, m)) < density
        held[rng.integers(n), rng.integers(m)] = True
        self.shots = Shots("all", *np.nonzero(held), n_items=m)
        self.x = unit_rows(rng.normal(size=(n, d)).astype(np.float32))
        self.h = rng.dirichlet(np.full(d, 0.5), n).astype(np.float32)
        self.profiles = unit_rows(np.abs(rng.normal(size=(m, d))).astype(np.float32))
        for rows in (self.x, self.h):
            rows[n - 1] = 0
            rows[1] = rows[0]
        self.profiles[m - 1] = 0
        self.log_prior = np.log(rng.dirichlet(np.ones(m)))

    def terms(self, shots):
        return {
            "popularity": terms.popularity(shots, self.log_prior, KAPPA, self.n),
            "visitors": terms.visitors("visitors", self.x, shots),
            "own_profile": terms.own_profile(self.profiles, shots, self.n),
            "profile": terms.profile(self.x, self.profiles),
            "content": terms.content(
                self.x, self.profiles, self.log_prior.astype(np.float32), self.log_prior
            ),
        }

    def without(self, e):
        keep = np.arange(len(self.shots.user)) != e
        return Shots("all", self.shots.user[keep], self.shots.item[keep], self.m)

    def visitors(self, shots, i):
        return shots.user[shots.item == i]


def naive(case, shots):
    """Every term's docstring by the letter, in float64, for every user and item."""
    x, z, prior = case.x.astype(float), case.profiles.astype(float), np.exp(case.log_prior)
    out = {name: np.zeros((case.n, case.m)) for name in case.terms(shots)}
    for u in range(case.n):
        own = sum((z[i] for i in shots.item[shots.user == u]), np.zeros(z.shape[1]))
        length = math.sqrt(own @ own)
        for i in range(case.m):
            t = case.visitors(shots, i)
            out["popularity"][u, i] = math.log(len(t) + KAPPA * prior[i])
            out["visitors"][u, i] = sum(x[u] @ x[v] for v in t) / (len(t) + 2)
            out["own_profile"][u, i] = own @ z[i] / length if length else 0.0
            out["profile"][u, i] = x[u] @ z[i]
            out["content"][u, i] = x[u] @ z[i] + case.log_prior[i] - case.log_prior[i]
    return out


def naive_paths(case, shots, n):
    """Σ_k ĥ_uk log θ_ki/Π_i with n pairs in the denominator of Π, float64."""
    h, prior = case.h.astype(float), np.exp(case.log_prior)
    out = np.zeros((case.n, case.m))
    for u in range(case.n):
        for i in range(case.m):
            t = case.visitors(shots, i)
            overall = (len(t) + KAPPA * prior[i]) / (n + KAPPA)
            for k in range(h.shape[1]):
                theta = (sum(h[v, k] for v in t) + overall) / (sum(h[v, k] for v in shots.user) + 1)
                out[u, i] += h[u, k] * math.log(theta / overall)
    return out


def left_out(term, shots):
    """[E, m]: scores of each pair's user with the pair left out."""
    every = np.arange(len(shots.user))
    return term.left_out(every, shots.user, shots.item, np.arange(shots.n_items))


CASES = st.builds(
    Case, st.integers(0, 10**6), st.integers(2, 9), st.integers(1, 7), st.sampled_from([0.0, 0.15, 0.4, 0.9])
)


@settings(max_examples=40, deadline=None)
@given(case=CASES)
def test_products_are_what_the_docstrings_say(case):
    want = naive(case, case.shots)
    for name, term in case.terms(case.shots).items():
        assert term.users.dtype == term.items.dtype == np.float32, name
        np.testing.assert_allclose(term.users @ term.items.T, want[name], atol=1e-4, err_msg=name)
    paths = terms.paths(case.h, case.shots, case.log_prior, KAPPA)
    np.testing.assert_allclose(
        paths.users @ paths.items.T, naive_paths(case, case.shots, len(case.shots.user)), atol=1e-4
    )


@settings(max_examples=60, deadline=None)
@given(case=CASES)
def test_leaving_a_pair_out_is_building_the_term_without_it(case):
    got = {name: left_out(term, case.shots) for name, term in case.terms(case.shots).items()}
    for e, u in enumerate(case.shots.user):
        for name, term in case.terms(case.without(e)).items():
            rebuilt = term.users[u] @ term.items.T
            np.testing.assert_allclose(got[name][e], rebuilt, atol=1e-4, err_msg=f"{name}, pair {e}")


@settings(max_examples=60, deadline=None)
@given(case=CASES)
def test_of_paths_all_but_n_is_left_out_exactly(case):
    got = left_out(terms.paths(case.h, case.shots, case.log_prior, KAPPA), case.shots)
    n = len(case.shots.user)
    bound = math.log((n + KAPPA) / (n + KAPPA - 1))
    for e, u in enumerate(case.shots.user):
        shots = case.without(e)
        # The same for all items of the user, namely what N_k less the visit adds: no rank moves.
        same_n = got[e] - naive_paths(case, shots, n)[u]
        np.testing.assert_allclose(same_n, np.full(case.m, same_n[0]), atol=1e-4)
        rebuilt = got[e] - naive_paths(case, shots, n - 1)[u]
        assert np.ptp(rebuilt) <= bound + 1e-4


def test_some_columns_are_scored_as_all_are():
    case = Case(3, n=9, m=7, density=0.5)
    columns = np.array([1, 2, 5])
    pairs = np.flatnonzero(np.isin(case.shots.item, columns))[::2]
    user, item = case.shots.user[pairs], np.searchsorted(columns, case.shots.item[pairs])
    everything = case.terms(case.shots) | {"paths": terms.paths(case.h, case.shots, case.log_prior, KAPPA)}
    for name, term in everything.items():
        some = term.left_out(pairs, user, item, columns)
        np.testing.assert_allclose(
            some, left_out(term, case.shots)[pairs][:, columns], atol=1e-6, err_msg=name
        )


def test_the_only_visitor_of_an_item_leaves_nothing_behind():
    one = np.zeros(1, np.int64)
    shots, x = Shots("1", one, one, 2), np.array([[0.6, 0.8]], np.float32)
    assert left_out(terms.visitors("visitors", x, shots), shots).tolist() == [[0.0, 0.0]]
    assert left_out(terms.own_profile(np.eye(2, dtype=np.float32), shots, 1), shots).tolist() == [[0.0, 0.0]]
    prior = np.log([0.25, 0.75])
    assert left_out(terms.popularity(shots, prior, 4.0, 1), shots).ravel() == pytest.approx(
        np.log([1, 3]), abs=1e-6
    )


def test_what_profiles_hardly_hold_gives_a_user_no_direction():
    # Item 0 lies outside the dimensions that profiles keep: 1e-8 of it is left. Item 2 has no entity.
    items = np.array([[1e-8, -1e-8], [0.6, 0.8], [0, 0]], np.float32)
    user, item = np.array([0, 1, 1, 2, 2]), np.array([0, 0, 1, 1, 2])
    shots = Shots("all", user, item, 3)
    term = terms.own_profile(items, shots, 3)
    assert not term.users[0].any()
    np.testing.assert_allclose(term.users[1:], [[0.6, 0.8], [0.6, 0.8]], atol=1e-6)
    np.testing.assert_allclose(
        term.users_without, [[0, 0], [0.6, 0.8], [0, 0], [0, 0], [0.6, 0.8]], atol=1e-6
    )
