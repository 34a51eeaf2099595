import numpy as np
import pytest

from hier_dag.graph.csr import from_coo
from hier_dag.model import interactions as module
from hier_dag.model.exemplar_clusters import memberships
from hier_dag.model.intent_topics import fit_paths, intent_strength
from hier_dag.model.interactions import encode_interactions


def crowds(n_users=60, n_items=30, groups=3, seed=0):
    """Users of a group take its own items alone; the last two users and items have no interaction."""
    rng = np.random.default_rng(seed)
    taken = np.zeros((n_users + 2, n_items + 2), bool)
    for u in range(n_users):
        own = np.arange(u % groups, n_items, groups)
        taken[u, rng.choice(own, 5, replace=False)] = True
    user, item = np.nonzero(taken)
    return from_coo(user, item, *taken.shape)


def naive_histories(history, belongs):
    """Share of each exemplar in each user's history, user by user."""
    out = np.zeros((history.rows, belongs.shape[1]))
    for u in range(history.rows):
        for j in history.indices[history.indptr[u] : history.indptr[u + 1]]:
            out[u] += belongs[j]
        out[u] /= out[u].sum() or 1
    return out


@pytest.fixture
def history():
    return crowds()


@pytest.fixture
def encoding(history):
    return encode_interactions(history, dim=8, intents=4, exemplars=6, seed=0)


def test_intents_and_paths_are_those_of_the_exemplars_in_each_history(history, encoding):
    belongs = memberships(encoding.items, encoding.exemplars, 0.2)
    np.testing.assert_array_equal(encoding.memberships(), belongs)
    h = naive_histories(history, belongs).astype(np.float32)
    paths = fit_paths(h, 4, 0)
    np.testing.assert_allclose(encoding.paths, paths, atol=1e-3)
    np.testing.assert_allclose(encoding.intents, intent_strength(h, paths), atol=1e-2)
    want = [sum(a * path for a, path in zip(row, encoding.paths, strict=True)) for row in encoding.intents]
    np.testing.assert_allclose(encoding.path_profiles(), want, atol=1e-6)


def test_rows_without_an_interaction_are_zero_and_the_others_whole(history, encoding):
    known, seen = history.degrees() > 0, np.bincount(history.indices, minlength=history.cols) > 0
    for x, rows in ((encoding.tastes, known), (encoding.intents, known), (encoding.items, seen)):
        np.testing.assert_array_equal(x.any(axis=1), rows)
        assert x.dtype == np.float32
    np.testing.assert_allclose(encoding.intents.sum(axis=1), known, atol=1e-5)
    np.testing.assert_allclose(encoding.paths.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(encoding.memberships().sum(axis=1), seen, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(encoding.exemplars, axis=1), 1, atol=1e-5)


def test_users_are_encoded_alike_in_blocks(history, encoding, monkeypatch):
    monkeypatch.setattr(module, "_USERS_AT_ONCE", 7)
    blocks = encode_interactions(history, dim=8, intents=4, exemplars=6, seed=0)
    np.testing.assert_array_equal(blocks.paths, encoding.paths)
    np.testing.assert_allclose(blocks.intents, encoding.intents, atol=1e-6)


def test_crowds_are_told_apart(encoding):
    group = np.arange(60) % 3
    alike = encoding.tastes[:60] @ encoding.tastes[:60].T
    assert alike[group[:, None] == group].min() > 0.2
    assert alike[group[:, None] != group].max() < 0
    paths = encoding.path_profiles()[:60]
    kernel = paths @ paths.T
    assert kernel[group[:, None] == group].min() > 2 * kernel[group[:, None] != group].max()


def test_the_same_seed_gives_the_same_bits(history, encoding):
    again = encode_interactions(history, dim=8, intents=4, exemplars=6, seed=0)
    for name in ("tastes", "intents", "paths", "items", "exemplars"):
        np.testing.assert_array_equal(getattr(again, name), getattr(encoding, name))


@pytest.mark.parametrize(
    ("pairs", "users", "items"),
    [([], 3, 4), ([], 0, 0), ([], 3, 0), ([(1, 2)], 3, 4), ([(0, 0), (0, 1)], 1, 2), ([(0, 0), (1, 0)], 2, 1),
     ([(u, i) for u in range(4) for i in range(3)], 4, 3)],
)  # fmt: skip
def test_graphs_that_tell_nothing_give_zero_tastes_and_whole_paths(pairs, users, items):
    pairs = np.array(pairs, np.int64).reshape(-1, 2)
    found = encode_interactions(from_coo(pairs[:, 0], pairs[:, 1], users, items), 5, 3, 4, 0)
    assert (found.tastes.shape, found.items.shape) == ((users, 5), (items, 5))
    assert not found.tastes.any()
    assert not found.intents.any()
    assert found.path_profiles().shape == (users, found.paths.shape[1])
    np.testing.assert_allclose(found.paths.sum(axis=1), 1, atol=1e-6)
    assert len(found.exemplars) == found.paths.shape[1]


def test_more_intents_and_exemplars_than_there_are_users_and_items():
    found = encode_interactions(crowds(n_users=6, n_items=15), dim=40, intents=50, exemplars=70, seed=0)
    assert found.paths.shape == (6, 15)
    for name in ("tastes", "intents", "paths", "items", "exemplars"):
        assert np.isfinite(getattr(found, name)).all(), name


@pytest.mark.parametrize("form", ["histories", "user_clusters", "shuffled"])
def test_controls_keep_the_form_of_the_paths_and_change_their_meaning(view, form):
    default = encode_interactions(view.history, 4, 3, 4, 0)
    control = encode_interactions(view.history, 4, 3, 4, 0, form)
    np.testing.assert_array_equal(control.tastes, default.tastes)
    for made in (default, control):
        known = made.tastes.any(axis=1)
        np.testing.assert_allclose(made.path_profiles()[known].sum(axis=1), 1, atol=1e-5)
        assert not made.path_profiles()[~known].any()
