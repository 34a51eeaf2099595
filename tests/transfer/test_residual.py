import numpy as np
import pytest

from hier_dag.transfer import residual as module
from hier_dag.transfer import terms
from hier_dag.transfer.residual import fit_residuals
from hier_dag.transfer.shots import Shots

NAMES = ("crowd", "content")


def case(seed=0, n=8, m=6, density=0.4, log_prior=None):
    rng = np.random.default_rng(seed)
    shots = Shots("all", *np.nonzero(rng.random((n, m)) < density), n_items=m)
    array = lambda *shape: rng.normal(size=shape).astype(np.float32)  # noqa: E731
    x, z, bias = array(n, 3), array(m, 3), array(m)
    x[-1] = 0
    log_prior = np.log(rng.dirichlet(np.ones(m)))
    parts = [
        (terms.popularity(shots, log_prior, 5.0, n), 1.0),
        (terms.visitors("crowd", x, shots), 0.7),
        (terms.content(array(n, 2), z[:, :2], bias, log_prior), 0.0),
    ]
    return parts, shots


def fit(parts, shots, seed=0, epochs=3, learning_rate=0.05, batch_size=4):
    return fit_residuals(
        parts, NAMES, shots, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, seed=seed
    )


def losses(parts, shots, delta, pairs):
    """Cross-entropy of each pair by the letter, float64: left-out scores, other own items removed."""
    x = np.hstack([term.users for term, _ in parts if term.name in NAMES]).astype(float)
    out = []
    for e in pairs:
        u, i = shots.user[e], shots.item[e]
        one = np.array([e]), np.array([u]), np.array([i]), np.arange(shots.n_items)
        score = sum(float(w) * term.left_out(*one)[0].astype(float) for term, w in parts) + delta @ x[u]
        own = shots.item[shots.user == u]
        rivals = [score[j] for j in range(shots.n_items) if j == i or j not in own]
        out.append(np.log(np.exp(rivals).sum()) - score[i])
    return np.array(out)


def finite_differences(parts, shots, delta, pairs, h=1e-5):
    grad = np.zeros_like(delta)
    for at in np.ndindex(*delta.shape):
        step = np.zeros_like(delta)
        step[at] = h
        up, down = (losses(parts, shots, delta + sign * step, pairs).mean() for sign in (1, -1))
        grad[at] = (up - down) / (2 * h)
    return grad


def naive_fit(parts, shots, seed, epochs, learning_rate, batch_size):
    """Adam on gradients by finite differences, float64."""
    delta = np.zeros((shots.n_items, sum(t.users.shape[1] for t, _ in parts if t.name in NAMES)))
    first, second, t = np.zeros_like(delta), np.zeros_like(delta), 0
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(shots.user))
        for start in range(0, len(order), batch_size):
            grad, t = finite_differences(parts, shots, delta, order[start : start + batch_size]), t + 1
            grad[np.abs(grad) < 1e-9] = 0  # rounding of the differences
            first, second = 0.9 * first + 0.1 * grad, 0.999 * second + 0.001 * grad**2
            delta -= learning_rate * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
    return delta


@pytest.mark.parametrize("seed", [0, 1])
def test_gradients_are_those_of_finite_differences_through_every_step(seed):
    parts, shots = case(seed)
    got = fit(parts, shots, seed)
    assert {name: block.shape for name, block in got.items()} == {"crowd": (6, 3), "content": (6, 3)}
    want = naive_fit(parts, shots, seed, epochs=3, learning_rate=0.05, batch_size=4)
    np.testing.assert_allclose(np.hstack([got["crowd"], got["content"]]), want, atol=2e-3)


def test_fitting_lowers_the_left_out_cross_entropy():
    parts, shots = case(3, n=40, m=10)
    every = np.arange(len(shots.user))
    got = fit(parts, shots, epochs=10)
    delta = np.hstack([got["crowd"], got["content"]]).astype(float)
    before, after = (losses(parts, shots, d, every).mean() for d in (np.zeros_like(delta), delta))
    assert after < before - 0.05


def test_residuals_learn_what_the_terms_miss():
    # Users 0-19 take item 0 and users 20-39 item 1, which popularity alone cannot tell.
    user, item = np.arange(40), np.repeat([0, 1], 20)
    shots, log_prior = Shots("1", user, item, 3), np.log(np.full(3, 1 / 3))
    kinds = np.repeat(np.eye(2, dtype=np.float32), 20, axis=0)
    content = terms.content(kinds, np.zeros((3, 2), np.float32), np.zeros(3, np.float32), log_prior)
    parts = [(terms.popularity(shots, log_prior, 5.0, 40), 1.0), (content, 0.0)]
    delta = fit(parts, shots, epochs=20)["content"]
    assert delta.shape == (3, 3)
    score = content.users @ delta.T
    assert (score[:20, 0] > score[:20, 1] + 1).all()
    assert (score[20:, 1] > score[20:, 0] + 1).all()


def test_a_catalogue_of_one_item_learns_nothing():
    one = np.zeros(1, np.int64)
    shots = Shots("all", one, one, 1)
    parts = [(terms.visitors("crowd", np.ones((1, 2), np.float32), shots), 1.0)]
    assert fit(parts, shots)["crowd"].tolist() == [[0.0, 0.0]]


def test_a_user_who_took_the_whole_catalogue_teaches_nothing():
    shots = Shots("all", np.zeros(3, np.int64), np.arange(3), 3)
    parts = [(terms.visitors("crowd", np.ones((1, 2), np.float32), shots), 1.0)]
    assert not fit(parts, shots)["crowd"].any()


def test_the_same_seed_gives_the_same_bits_and_no_term_is_changed():
    parts, shots = case(5, n=20)
    before = [(term.users.copy(), term.items.copy()) for term, _ in parts]
    first, again, other = fit(parts, shots, 1), fit(parts, shots, 1), fit(parts, shots, 2)
    for name in NAMES:
        np.testing.assert_array_equal(first[name], again[name])
    assert any(not np.array_equal(first[name], other[name]) for name in NAMES)
    for (users, items), (term, _) in zip(before, parts, strict=True):
        np.testing.assert_array_equal(term.users, users)
        np.testing.assert_array_equal(term.items, items)


def test_no_epoch_leaves_zero():
    parts, shots = case()
    assert not any(block.any() for block in fit(parts, shots, epochs=0).values())


def test_logits_in_memory_are_bounded(monkeypatch):
    parts, shots = case(6, n=30)
    sizes = []
    left_out = module._left_out
    monkeypatch.setattr(
        module, "_left_out", lambda p, pairs, *a: sizes.append(len(pairs)) or left_out(p, pairs, *a)
    )
    monkeypatch.setattr(module, "_LOGITS_AT_ONCE", 3 * shots.n_items)
    fit(parts, shots, epochs=1)
    assert max(sizes) == 3
    assert sum(sizes) == len(shots.user)


def test_a_large_catalogue_is_sampled_and_still_learned_from(monkeypatch):
    monkeypatch.setattr(module, "_COLUMNS", 5)
    parts, shots = case(3, n=40, m=10)
    seen = []
    left_out = module._left_out
    monkeypatch.setattr(module, "_left_out", lambda *a: seen.append(a[-1]) or left_out(*a))
    got = fit(parts, shots, epochs=10)
    assert all(5 <= len(columns) <= 9 for columns in seen)  # with the step's own four at most
    assert set(np.concatenate(seen)) == set(range(10))
    delta = np.hstack([got["crowd"], got["content"]]).astype(float)
    every = np.arange(len(shots.user))
    before, after = (losses(parts, shots, d, every).mean() for d in (np.zeros_like(delta), delta))
    assert after < before - 0.05


def test_in_a_sample_the_user_s_other_items_are_hidden_and_none_else():
    _, shots = case(4, n=12, m=9)
    known = module.from_coo(shots.user, shots.item, 12, 9)
    columns = np.array([1, 2, 5, 8])
    pairs = np.flatnonzero(np.isin(shots.item, columns))
    user, item = shots.user[pairs], shots.item[pairs]
    row, place = (t.numpy() for t in module._others(known, user, item, columns))
    want = {
        (r, p)
        for r, (u, i) in enumerate(zip(user, item, strict=True))
        for p, j in enumerate(columns)
        if j != i and j in shots.item[shots.user == u]
    }
    assert set(zip(row.tolist(), place.tolist(), strict=True)) == want
