import math

import numpy as np
import pytest

from hier_dag.model.spectral import unit_rows
from hier_dag.transfer import leave_one_out as module
from hier_dag.transfer import terms
from hier_dag.transfer.leave_one_out import Group, choose_scales
from hier_dag.transfer.shots import Shots

SCALES = (0.0, 0.5, 1.0, 4.0)


class Domain:
    """Users of two crowds, whose items they take; `crowd` knows the crowds and `noise` knows nothing."""

    def __init__(self, seed=0, n=60, m=12, per_user=3):
        rng = np.random.default_rng(seed)
        self.n, self.m = n, m
        crowd = np.arange(n) % 2
        weight = np.where(np.arange(m) % 2 == crowd[:, None], 6.0, 1.0) * rng.gamma(2.0, size=m)
        order = np.argsort(-(rng.gumbel(size=(n, m)) + np.log(weight)), axis=1)[:, :per_user]
        pair = np.sort((np.arange(n)[:, None] * m + order).ravel())
        self.shots = Shots("all", pair // m, pair % m, m)
        self.crowd = unit_rows((np.eye(2)[crowd] - 0.5 + 0.1 * rng.normal(size=(n, 2))).astype(np.float32))
        self.noise = rng.normal(size=(n + m, 3)).astype(np.float32)
        self.log_prior = np.log(rng.dirichlet(np.full(m, 5.0)))

    def groups(self, shots, prior=0.5, weight=3.0, **free):
        popular = terms.popularity(shots, self.log_prior, 10.0, self.n)
        kinds = {
            "crowd": terms.visitors("crowd", self.crowd, shots),
            "noise": terms.profile(self.noise[: self.n], self.noise[self.n :]),
        }
        groups = {name: Group((kinds[name],), (weight,), scales, prior) for name, scales in free.items()}
        return {"base": Group((popular,), (1.0,)), **groups}

    def without(self, e):
        keep = np.arange(len(self.shots.user)) != e
        return Shots("all", self.shots.user[keep], self.shots.item[keep], self.m)


def some(shots, n):
    return Shots("some", shots.user[:n], shots.item[:n], shots.n_items)


def naive_gain(domain, scale):
    """Mean gain of `crowd` at a scale: each pair's score is built from scratch without it."""
    total = 0.0
    shots = domain.shots
    for e, (u, i) in enumerate(zip(shots.user, shots.item, strict=True)):
        groups = domain.groups(domain.without(e), crowd=SCALES)
        score = sum(
            weight * (scale if name == "crowd" else 1.0) * (term.users[u] @ term.items.T)
            for name, group in groups.items()
            for term, weight in zip(group.terms, group.weights, strict=True)
        )
        others = [j for j in range(domain.m) if j != i and j not in shots.item[shots.user == u]]
        above = sum(score[j] > score[i] for j in others)
        level = sum(score[j] == score[i] for j in others)
        total += 1 / math.log2(1 + 1 + above + level / 2)
    return total / len(shots.user)


def naive_distance(scale, prior):
    """Squared steps of factor two, zero counted as half of the smallest scale above it."""
    return (math.log2(max(scale, 0.25)) - math.log2(max(prior, 0.25))) ** 2


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("inertia", [0.0, 2.0])
def test_one_scale_is_the_best_of_all_by_scores_built_anew_without_each_pair(seed, inertia):
    domain = Domain(seed, n=14, m=9, per_user=2)
    chosen = choose_scales(domain.groups(domain.shots, crowd=SCALES), domain.shots, inertia, 0)
    value = {
        s: naive_gain(domain, s) - inertia * naive_distance(s, 0.5) / len(domain.shots.user) for s in SCALES
    }
    assert value[chosen["crowd"]] == pytest.approx(max(value.values()), abs=1e-9)
    assert chosen["base"] == 1.0


@pytest.mark.parametrize("planted", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("prior", [0.0, 0.7, 4.0])
def test_enough_pairs_find_the_planted_scale_and_turn_noise_off(planted, prior):
    # Items of the own crowd are taken with odds 6 : 1, and their visitors' mean is 5/7 along the own crowd.
    weight = math.log(6) / (2 * 5 / 7) / planted
    domain = Domain(n=1500, m=30, per_user=4)
    groups = domain.groups(domain.shots, prior, weight, crowd=SCALES, noise=SCALES)
    assert choose_scales(groups, domain.shots, 0.1, 0) == {"base": 1.0, "crowd": planted, "noise": 0.0}


@pytest.mark.parametrize("pairs", [1, 2, 4])
def test_few_pairs_move_no_prior(pairs):
    domain = Domain()
    shots = some(domain.shots, pairs)
    groups = domain.groups(shots, prior=0.7, crowd=SCALES, noise=SCALES)
    assert choose_scales(groups, shots, 1.0, 0) == {"base": 1.0, "crowd": 0.7, "noise": 0.7}


def test_a_group_of_one_scale_is_fixed_and_a_prior_of_zero_can_be_left():
    domain = Domain(n=400, m=30, per_user=4)
    fixed = domain.groups(domain.shots, prior=0.3, crowd=(0.3,))
    assert choose_scales(fixed, domain.shots, 1.0, 0) == {"base": 1.0, "crowd": 0.3}
    off = domain.groups(domain.shots, prior=0.0, crowd=SCALES)
    assert choose_scales(off, domain.shots, 1.0, 0)["crowd"] > 0
    assert choose_scales(off, some(domain.shots, 1), 1.0, 0)["crowd"] == 0.0


def test_items_of_equal_score_count_half():
    # Nothing tells ten items apart: the pair's own, less its visit, is level with the nine that nobody took.
    one = np.zeros(1, np.int64)
    shots = Shots("1", one, one, 10)
    flat = terms.popularity(shots, np.full(10, np.log(0.1)), 10.0, 1)
    board = module._Board({"base": Group((flat,), (1.0,))}, shots, 0)
    assert board.gain({"base": 1.0}) == pytest.approx(1 / math.log2(2 + 9 / 2))


def test_a_catalogue_of_one_item_keeps_the_priors():
    domain = Domain(n=5, m=1, per_user=1)
    assert choose_scales(domain.groups(domain.shots, crowd=SCALES), domain.shots, 1.0, 0)["crowd"] == 0.5


@pytest.mark.parametrize("columns", [1, 5, 29])
@pytest.mark.parametrize("pairs", [1, 7, 1000])
def test_a_sample_ranks_each_pairs_item_among_the_drawn_ones(monkeypatch, columns, pairs):
    domain, seed, scale = Domain(n=40, m=30, per_user=4), 3, 1.0
    shots, groups = domain.shots, domain.groups(domain.shots, crowd=SCALES)
    monkeypatch.setattr(module, "_COLUMNS", columns)
    monkeypatch.setattr(module, "_PAIRS", pairs)
    rng = np.random.default_rng(seed)
    drawn = module._sample(rng, 30, columns)
    chosen = module._sample(rng, len(shots.user), pairs)
    term, popular = groups["crowd"].terms[0], groups["base"].terms[0]
    gains = []
    for e in chosen:
        u, i = shots.user[e], shots.item[e]
        one = np.array([e]), np.array([u]), np.array([i]), np.arange(30)
        score = (popular.left_out(*one) + np.float32(3 * scale) * term.left_out(*one))[0]
        rivals = [j for j in drawn if j != i and j not in shots.item[shots.user == u]]
        gains.append(1 / math.log2(2 + sum(score[j] > score[i] for j in rivals)))
    board = module._Board(groups, shots, seed)
    assert board.pairs == min(pairs, len(shots.user))
    assert board.gain({"base": 1.0, "crowd": scale}) == pytest.approx(np.mean(gains), abs=1e-9)


def test_a_large_catalogue_with_few_pairs_is_weighed_though_no_drawn_item_holds_one(monkeypatch):
    monkeypatch.setattr(module, "_COLUMNS", 2)
    domain = Domain(n=40, m=30, per_user=4)
    for seed in range(20):
        shots = some(domain.shots, 1)
        groups = domain.groups(shots, crowd=SCALES)
        assert choose_scales(groups, shots, 1.0, seed)["crowd"] == 0.5


def test_the_same_seed_draws_the_same_sample(monkeypatch):
    monkeypatch.setattr(module, "_COLUMNS", 10)
    monkeypatch.setattr(module, "_PAIRS", 50)
    domain = Domain(n=200, m=40, per_user=4)
    groups = domain.groups(domain.shots, crowd=SCALES)
    scales = {"base": 1.0, "crowd": 1.0}
    gains = [module._Board(groups, domain.shots, seed).gain(scales) for seed in (0, 0, 1)]
    assert gains[0] == gains[1] != gains[2]
    assert choose_scales(groups, domain.shots, 0.1, 0) == choose_scales(groups, domain.shots, 0.1, 0)


def test_one_declared_scale_is_the_scale_whatever_the_prior():
    domain = Domain()
    groups = domain.groups(domain.shots, prior=0.35, crowd=(0.5,))
    assert choose_scales(groups, domain.shots, 1.0, 0)["crowd"] == 0.5
