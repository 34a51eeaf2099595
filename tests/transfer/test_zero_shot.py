import dataclasses

import numpy as np
import pytest

from hier_dag.transfer.dual_transfer import dual_zero_shot
from hier_dag.transfer.head_params import HeadParams
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.target import make_target
from hier_dag.transfer.zero_shot import zero_shot_blocks

PARAMS = HeadParams(
    zero_shot_profile=0.25, zero_shot_unknown=0.5, zero_shot_breadth=0.1, zero_shot_breadth_unknown=0.6
)


@pytest.fixture
def target(dual_platform):
    return make_target(*dual_platform, "cafe")


def scores(target, params=PARAMS):
    users, items = zero_shot_blocks(target, target.sides, params)
    assert users.dtype == items.dtype == np.float32
    return users @ items.T


def naive(target, weight, breadth_weight=0.0):
    """Every score over its own deviation over the catalogue, user by user, float64."""
    out = np.zeros((len(target.q), len(target.z)))
    for u in range(len(out)):
        trained = [
            float(target.q[u].astype(float) @ z + b) for z, b in zip(target.z, target.bias, strict=True)
        ]
        cosine = [float(target.sides.profile_users[u].astype(float) @ p) for p in target.sides.profile_items]
        breadth = target.sides.breadth.astype(float)
        for part, w in ((trained, 1.0), (cosine, weight), (breadth, breadth_weight)):
            # Scores alike up to float32 say nothing.
            if np.std(part) > 1e-6:
                out[u] += w * np.array(part) / np.std(part)
    return out


@pytest.mark.parametrize("known", [0.0, 0.4, 1.0])
def test_scores_are_over_their_deviation_and_the_weight_grows_with_what_is_news(target, known):
    breadth = np.log1p(np.arange(len(target.z)) % 4).astype(np.float32)
    target = dataclasses.replace(
        target, sides=dataclasses.replace(target.sides, known=known, breadth=breadth)
    )
    want = naive(target, 0.25 + 0.5 * (1 - known), 0.1 + 0.6 * (1 - known))
    np.testing.assert_allclose(scores(target), want, atol=1e-3)


def test_items_that_share_no_entity_with_a_source_have_no_profile_cosine(target):
    shared = np.arange(len(target.z)) % 2 == 0
    sides = dataclasses.replace(target.sides, shared=shared)
    items = zero_shot_blocks(dataclasses.replace(target, sides=sides), sides, PARAMS)[1]
    width = target.sides.profile_items.shape[1]
    profile = items[:, 7 : 7 + width]
    assert not profile[~shared].any()
    np.testing.assert_array_equal(profile[shared], target.sides.profile_items[shared])


def test_flat_scores_give_zero_and_drown_nothing(target):
    whole = naive(target, 0.25 + 0.5 * (1 - target.sides.known))
    # 20 equal rows whose float32 mean is not the row itself.
    row = np.full_like(target.z[:1], 0.1) + np.float32(1e-3) * np.arange(6, dtype=np.float32)
    flat = dataclasses.replace(
        target, z=np.repeat(row, 20, axis=0), bias=np.full_like(target.bias, 0.7), q=target.q * np.float32(50)
    )
    users, items = zero_shot_blocks(flat, flat.sides, PARAMS)
    assert np.isfinite(users).all()
    assert not users[:, :7].any()
    np.testing.assert_allclose(users @ items.T, naive(flat, 0.25 + 0.5 * (1 - target.sides.known)), atol=1e-3)
    no_profile = dataclasses.replace(target.sides, profile_items=np.zeros_like(target.sides.profile_items))
    assert np.isfinite(scores(dataclasses.replace(target, sides=no_profile))).all()
    assert not np.allclose(whole, scores(flat), atol=0.1)


def test_a_user_without_history_has_the_trained_score_alone(target):
    cold = ~target.sides.profile_users.any(axis=1)
    assert cold.any()
    s0 = (target.q @ target.z.T + target.bias).astype(float)
    np.testing.assert_allclose(scores(target)[cold], (s0 / s0.std(axis=1, keepdims=True))[cold], atol=1e-3)


def test_one_item_gives_finite_vectors_and_none_of_them_zero(make_dual_platform):
    target = make_target(*make_dual_platform(n_target_items=1), "cafe")
    vectors = dual_zero_shot(target, target.sides, TransferParams())
    assert vectors.method == "zero_shot"
    for x in (vectors.user_vectors, vectors.item_vectors):
        assert np.isfinite(x).all()
        assert x.any(axis=1).all()


def test_an_empty_catalogue_has_blocks_without_rows(target):
    sides = dataclasses.replace(
        target.sides,
        profile_items=target.sides.profile_items[:0],
        breadth=target.sides.breadth[:0],
        shared=target.sides.shared[:0],
    )
    empty = dataclasses.replace(target, z=target.z[:0], bias=target.bias[:0], sides=sides)
    users, items = zero_shot_blocks(empty, sides, PARAMS)
    assert (len(users), len(items)) == (40, 0)
    assert users.shape[1] == items.shape[1]


def test_published_zero_shot_vectors_rank_as_the_blocks(target):
    vectors = dual_zero_shot(target, target.sides, TransferParams(head=PARAMS))
    difference = vectors.scorer()(np.arange(40)) - scores(target)
    np.testing.assert_allclose(difference, np.repeat(difference[:, :1], 20, axis=1), atol=1e-4)
