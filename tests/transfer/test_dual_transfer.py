import dataclasses

import numpy as np
import pytest

from hier_dag.graph.knowledge_graph import TEST, TRAIN, VALIDATION
from hier_dag.model.encoding import KG_INFERRED, TRAINED
from hier_dag.transfer import terms
from hier_dag.transfer.dual_head import dual_groups, joined, weighted_terms
from hier_dag.transfer.dual_transfer import dual_few_shot, dual_zero_shot
from hier_dag.transfer.head_params import HeadParams
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.save import save_transfer
from hier_dag.transfer.shots import Shots, draw_shots
from hier_dag.transfer.sides import make_sides
from hier_dag.transfer.target import make_target
from hier_dag.transfer.term import Term
from hier_dag.transfer.transfer import transfer

PARAMS = TransferParams(
    shots=("1", "5%"), seeds=(0, 1), cutoffs=(5, 10), bootstrap=50, finetune_min_per_item=1.5
)
TERMS = {
    "popularity", "profile", "own_profile", "paths", "path_visitors", "crowd_visitors", "taste_visitors",
    "content",
}  # fmt: skip


@pytest.fixture
def target(dual_platform):
    return make_target(*dual_platform, "cafe")


@pytest.fixture
def shots(dual_platform):
    return draw_shots(dual_platform[0], "cafe", "all")


def few_shot(target, shots, fine_tuned=False, seed=0, **head):
    params = dataclasses.replace(PARAMS, head=HeadParams(**head))
    return dual_few_shot(target, target.sides, shots, params, seed, fine_tuned)


def whole(vectors):
    """Finite, complete, and no vector zero."""
    for x, rows in ((vectors.user_vectors, vectors.users), (vectors.item_vectors, vectors.items)):
        assert (len(x), x.dtype) == (len(rows), np.float32)
        assert np.isfinite(x).all()
        assert x.any(axis=1).all()
    return True


def written_out(target, shots, scales, head=PARAMS.head):
    """The published score by the letter: every term anew, weight by weight, float64 [n, m]."""
    n, s, prior, kappa = len(target.users), target.sides, target.log_prior, PARAMS.kappa
    q, z = target.q.astype(float), target.z.astype(float)
    known = target.user_origin == 0
    unit = (q - q[known].mean(axis=0)) * known[:, None]
    unit = (unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    product = lambda term: term.users.astype(float) @ term.items.T  # noqa: E731
    return (
        product(terms.popularity(shots, prior, kappa, n))
        + head.profile_weight * s.profile_users.astype(float) @ s.profile_items.T
        + head.own_profile_weight * product(terms.own_profile(s.profile_items, shots, n))
        + scales["crowd"] * head.paths_weight * product(terms.paths(s.path_profiles, shots, prior, kappa))
        + scales["crowd"] * head.path_visitors_weight * product(terms.visitors("", s.path_tastes, shots))
        + scales["crowd"] * head.crowd_visitors_weight * product(terms.visitors("", s.tastes, shots))
        + scales["taste"] * head.taste_weight * product(terms.visitors("", unit, shots))
        + scales["content"] * head.content_weight * (q @ z.T + target.bias - prior)
    )


def same_ranking(got, want):
    """Equal up to a constant for each user."""
    difference = got - want
    np.testing.assert_allclose(
        difference, np.repeat(difference[:, :1], difference.shape[1], axis=1), atol=1e-3
    )


@pytest.mark.parametrize("scale", [0.0, 0.25, 2.0])
def test_published_vectors_score_as_the_terms_written_out(target, shots, scale):
    fixed = {"crowd_scales": (scale, 4.0), "crowd_prior": scale, "taste_prior": 2 * scale, "inertia": 1e9}
    vectors, state = few_shot(target, shots, **fixed)
    assert state.scalars["crowd"] == scale
    assert vectors.method == "closed_form"
    np.testing.assert_array_equal(vectors.item_origin, np.where(shots.counts() > 0, TRAINED, KG_INFERRED))
    np.testing.assert_array_equal(vectors.user_origin, target.user_origin)
    same_ranking(vectors.scorer()(np.arange(40)), written_out(target, shots, state.scalars))


def test_vectors_of_chosen_scales_and_residuals_are_the_sum_of_their_parts(target, shots):
    vectors, state = few_shot(target, shots, fine_tuned=True, content_scales=(0.5, 1.0))
    assert vectors.method == "fine_tuned"
    s = target.sides
    one = np.ones((40, 1), np.float32)
    carriers = np.hstack([target.q, one, s.path_tastes, s.tastes])
    assert state.delta.shape == (20, carriers.shape[1])
    assert np.abs(state.delta).max() > 1e-4
    # The residual blocks stand in the order of `parts`: crowd terms before content.
    widths = {
        "path_visitors": s.path_tastes,
        "crowd_visitors": s.tastes,
        "content": np.hstack([target.q, one]),
    }
    assert min(state.scalars.values()) > 0
    x = np.hstack([widths[name] for name in ("path_visitors", "crowd_visitors", "content")]).astype(float)
    want = written_out(target, shots, state.scalars) + x @ state.delta.T
    same_ranking(vectors.scorer()(np.arange(40)), want)


def random_parts(rng, n=5, m=4):
    array = lambda *shape: rng.normal(size=shape).astype(np.float32)  # noqa: E731
    shared = array(m, 3)
    return [
        (Term("a", array(n, 2), array(m, 2)), 0.5),
        (Term("profile", array(n, 3), shared), 0.3),
        (Term("own_profile", array(n, 3), shared), 2.0),
        (Term("b", array(n, 2), array(m, 2)), 0.0),
        (Term("c", array(n, 3), shared), -1.0),
    ]


@pytest.mark.parametrize("named", [(), ("a",), ("b",), ("a", "c"), ("profile", "b"), ("own_profile",)])
def test_joined_blocks_are_the_weighted_sum_also_where_blocks_are_shared(named):
    rng = np.random.default_rng(0)
    parts = random_parts(rng)
    residuals = {
        t.name: rng.normal(size=t.items.shape).astype(np.float32) for t, _ in parts if t.name in named
    }
    users, items = joined(parts, residuals)
    want = sum(w * t.users.astype(float) @ t.items.T for t, w in parts)
    want = want + sum(t.users.astype(float) @ residuals[t.name].T for t, _ in parts if t.name in named)
    np.testing.assert_allclose(users @ items.T, want, atol=1e-5)
    assert users.shape[1] <= sum(t.users.shape[1] for t, _ in parts)


def test_profile_terms_share_their_columns(target, shots):
    groups = dual_groups(target, target.sides, shots, PARAMS)
    assert {t.name for group in groups.values() for t in group.terms} == TERMS
    parts = weighted_terms(groups, {"base": 1.0, "crowd": 1.0, "taste": 1.0, "content": 1.0})
    users, items = joined(parts)
    width = sum(t.users.shape[1] for t, _ in parts) - target.sides.profile_items.shape[1]
    assert users.shape[1] == items.shape[1] == width
    off = weighted_terms(groups, {"base": 1.0, "crowd": 0.0, "taste": 0.0, "content": 0.0})
    assert [t.name for t, _ in off] == ["popularity", "profile", "own_profile"]


def test_residuals_are_fitted_where_a_scale_of_zero_left_their_terms_out(target, shots):
    vectors, state = few_shot(target, shots, True, crowd_scales=(0.0, 1.0), crowd_prior=0.0, inertia=1e9)
    assert state.scalars["crowd"] == 0
    s = target.sides
    # The terms that the score has come first: content, then the crowd's two kernels.
    content, crowd = np.split(state.delta, [target.q.shape[1] + 1], axis=1)
    assert crowd.shape[1] == s.path_tastes.shape[1] + s.tastes.shape[1]
    assert np.abs(content).max() > 1e-4
    assert np.abs(crowd).max() > 1e-4
    assert whole(vectors)
    plain, none = few_shot(target, shots, True, residual_epochs=0)
    assert (plain.method, none.delta.shape) == ("closed_form", (20, 0))


def test_sides_hold_the_audiences_rows_and_departures_from_the_platforms_mean(dual_platform):
    graph, encoding = dual_platform
    users, items = graph.audience["cafe"][3:30], graph.catalogue["cafe"][2:9]
    sides = make_sides(encoding, users, items)
    every = encoding.interactions.path_profiles().astype(float)
    known = encoding.interactions.intents.any(axis=1)
    np.testing.assert_allclose(sides.path_profiles, every[users], atol=1e-6)
    for row, u in zip(sides.path_tastes, users, strict=True):
        apart = (every[u] - every[known].mean(axis=0)) * known[u]
        np.testing.assert_allclose(row, apart / (np.linalg.norm(apart) or 1), atol=1e-4)
    assert sides.known == pytest.approx(encoding.profiles.known[items].mean())
    assert make_sides(dataclasses.replace(encoding, interactions=None), users, items) is None
    assert make_sides(encoding, users, items[:0]).known == 0.0


def test_users_of_one_intent_all_alike_have_no_path_taste(dual_platform):
    graph, encoding = dual_platform
    one = np.full_like(encoding.interactions.intents, 1 / 3)
    one[encoding.interactions.intents.sum(axis=1) == 0] = 0
    alike = dataclasses.replace(encoding.interactions, intents=one)
    sides = make_sides(
        dataclasses.replace(encoding, interactions=alike), graph.audience["cafe"], graph.catalogue["cafe"]
    )
    assert sides.path_profiles.any()
    assert not sides.path_tastes.any()


DEGENERATE = {
    "no entity link": {"has_entity": []},
    "entities shared with nobody": {"has_entity": [(i, i) for i in range(30)]},
    "one entity on everything": {"has_entity": [(i, 0) for i in range(30)]},
    "only target items have entities": {"has_entity": [(i, i % 3) for i in range(10, 30)]},
    "no source history": {"source_users": []},
    "one user of source history": {"source_users": [7]},
    "one item": {"n_target_items": 1, "per_user": 1},
    "one user": {"n_users": 1, "n_cold": 0},
    "one user and one item": {"n_users": 1, "n_cold": 0, "n_target_items": 1, "per_user": 1},
    "two users": {"n_users": 2, "n_cold": 1, "n_target_items": 3, "per_user": 3},
}


@pytest.mark.parametrize("least", [0.0, 1e9], ids=["residuals", "closed form"])
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_targets_get_whole_vectors_and_records(make_dual_platform, name, least):
    graph, encoding = make_dual_platform(**DEGENERATE[name])
    result = transfer(graph, encoding, "cafe", dataclasses.replace(PARAMS, finetune_min_per_item=least))
    assert whole(result.published)
    assert result.published.method == ("closed_form" if least else "fine_tuned")
    assert set(result.scalars) == {"base", "crowd", "taste", "content"}
    rows = result.records.to_pylist()
    assert all(np.isfinite(r["value"]) and r["low"] <= r["value"] <= r["high"] for r in rows)
    ours = {r["shots"] for r in rows if r["model"] == "hier"}
    assert "0" in ours or not (graph.interactions["cafe"].split == TEST).any()


def test_one_few_shot_pair_moves_no_prior_and_gives_whole_vectors(target):
    one = np.array([3])
    for fine_tuned in (False, True):
        vectors, state = few_shot(target, Shots("1%", one, one, 20), fine_tuned, crowd_prior=0.7)
        assert whole(vectors)
        head = HeadParams(crowd_prior=0.7)
        assert state.scalars == {
            "base": 1.0, "crowd": head.crowd_prior, "taste": head.taste_prior, "content": head.content_prior
        }  # fmt: skip


def test_a_target_without_interactions_gets_the_zero_shot_mix(dual_platform):
    result = transfer(*dual_platform, "desert", PARAMS)
    assert (result.published.method, result.shots, result.head) == ("zero_shot", "0", None)
    assert whole(result.published)
    target = make_target(*dual_platform, "desert")
    want = dual_zero_shot(target, target.sides, PARAMS)
    np.testing.assert_array_equal(result.published.item_vectors, want.item_vectors)
    assert result.records.num_rows == 0


def test_the_same_inputs_write_the_same_bytes(dual_platform, tmp_path):
    for name in "ab":
        save_transfer(transfer(*dual_platform, "cafe", PARAMS), tmp_path / name)
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert files == sorted(p.name for p in (tmp_path / "b").iterdir())
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


@pytest.mark.parametrize("least", [0.0, 1e9], ids=["residuals", "closed form"])
def test_other_test_and_validation_pairs_move_no_bit_of_any_setting(dual_platform, least):
    graph, encoding = dual_platform
    pairs = graph.interactions["cafe"]
    rng = np.random.default_rng(0)
    held_out = np.isin(pairs.split, (TEST, VALIDATION))
    # As many pairs as before: a share of the domain is a share of all its pairs.
    other = dataclasses.replace(pairs, item=np.where(held_out, rng.permutation(pairs.item), pairs.item))
    assert not np.array_equal(other.item, pairs.item)
    changed = dataclasses.replace(graph, interactions={**graph.interactions, "cafe": other})
    for setting in ("0", "1", "10%", "all"):
        if setting == "0":
            made = [
                dual_zero_shot(t, t.sides, PARAMS)
                for t in (make_target(g, encoding, "cafe") for g in (graph, changed))
            ]
        else:
            params = dataclasses.replace(
                PARAMS, shots=(setting,), publish_shots=setting, finetune_min_per_item=least, seeds=(0,)
            )
            made = [transfer(g, encoding, "cafe", params).published for g in (graph, changed)]
        np.testing.assert_array_equal(made[0].user_vectors, made[1].user_vectors)
        np.testing.assert_array_equal(made[0].item_vectors, made[1].item_vectors)


def test_other_training_pairs_do_move_the_vectors(dual_platform):
    graph, encoding = dual_platform
    pairs = graph.interactions["cafe"]
    fewer = dataclasses.replace(
        pairs, split=np.where(pairs.user < 5, VALIDATION, pairs.split).astype(np.int8)
    )
    assert (fewer.split != pairs.split).any()
    assert (pairs.split == TRAIN).any()
    changed = dataclasses.replace(graph, interactions={**graph.interactions, "cafe": fewer})
    one, other = (transfer(g, encoding, "cafe", PARAMS).published for g in (graph, changed))
    assert not np.array_equal(one.item_vectors, other.item_vectors)
