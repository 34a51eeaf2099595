"""A set that was only turned is brought back with every score; what cannot be gets a new name."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.linalg import orthogonal_procrustes

from hier_dag.errors import StoreError
from hier_dag.publish.space.alignment import align
from hier_dag.publish.space.comparison import compare
from hier_dag.publish.space.name import space_id
from hier_dag.publish.space.params import SpaceParams
from hier_dag.publish.space.verdict import judge
from tests.publish.space.helpers import normal, orthogonal, space, written

PARAMS = SpaceParams()
USERS, ITEMS = normal(300, 8), normal(90, 8, 1)
MODEL, LIVE_SPACE = "ab" * 32, "0123456789abcdef"


def turned(rotation, users=USERS, items=ITEMS):
    return space((users @ rotation).astype(np.float32), (items @ rotation).astype(np.float32))


def noisy(share, seed=5):
    """Users and items with noise of a share of their norm."""
    return USERS + share * normal(300, 8, seed), ITEMS + share * normal(90, 8, seed + 1)


@given(dim=st.integers(1, 12), users=st.integers(1, 40), items=st.integers(1, 40), seed=st.integers(0, 999))
@settings(max_examples=15, deadline=None)
def test_a_retrained_encoder_whose_space_was_only_turned_is_aligned_and_its_scores_stay(
    dim, users, items, seed
):
    live = space(normal(users, dim, seed), normal(items, dim, seed + 1))
    new = turned(orthogonal(dim, seed), live.users.vectors, live.items.vectors)
    assert compare(new, live, PARAMS).residual_aligned < 1e-6
    rotation = compare(new, live, PARAMS).rotation
    back = [align(side.vectors, rotation) for side in (new.users, new.items)]
    assert [b.dtype for b in back] == [np.float32, np.float32]
    for side, expected in zip(back, (live.users, live.items), strict=True):
        assert side == pytest.approx(expected.vectors, abs=1e-5)
    sizes = np.outer(*(np.linalg.norm(b, axis=1) for b in back))
    assert (np.abs(back[0] @ back[1].T - new.users.vectors @ new.items.vectors.T) <= 1e-5 * sizes).all()


def test_the_rotation_that_was_applied_is_the_one_that_is_undone(tmp_path):
    applied = orthogonal(8)
    live = written(tmp_path / "live", space(USERS, ITEMS))
    assert compare(turned(applied), live, PARAMS).rotation == pytest.approx(applied.T, abs=1e-6)


def test_a_turned_set_is_aligned_to_the_live_files(tmp_path):
    live = written(tmp_path / "live", space(USERS, ITEMS))
    new = turned(orthogonal(8))
    verdict = judge(new, live, PARAMS)
    assert verdict.change == "aligned"
    back = space(align(new.users.vectors, verdict.rotation), align(new.items.vectors, verdict.rotation))
    assert judge(back, live, PARAMS).change == "same"


def test_blocks_of_rows_are_turned_as_one():
    many, rotation = normal((1 << 16) + 3, 2), orthogonal(2)
    assert align(many, rotation) == pytest.approx(many @ rotation, abs=1e-6)


def test_nothing_live_begins_a_space():
    assert judge(space(USERS, ITEMS), None, PARAMS).change == "first"


def test_a_set_that_hardly_moved_is_the_same_and_is_not_touched():
    verdict = judge(space(*noisy(0.01)), space(USERS, ITEMS), PARAMS)
    assert verdict.change == "same"
    assert verdict.rotation is None


def test_another_encoder_is_breaking():
    other = space(normal(300, 8, 7), normal(90, 8, 8))
    verdict = judge(other, space(USERS, ITEMS), PARAMS)
    assert verdict.change == "breaking"
    assert verdict.rotation is None


def test_another_length_is_breaking_whatever_its_rankings(tmp_path):
    wider = [np.pad(side, ((0, 0), (0, 2))) for side in (USERS, ITEMS)]
    verdict = judge(space(*wider), space(USERS, ITEMS), PARAMS)
    assert (verdict.change, verdict.rotation) == ("breaking", None)
    found = compare(space(*wider), space(USERS, ITEMS), PARAMS)
    assert (found.dim, found.live_dim) == (10, 8)
    assert found.residual is None
    assert found.overlap == 1.0
    assert found.rotation is None


def test_a_turned_set_is_breaking_where_alignment_is_switched_off():
    new, live = turned(orthogonal(8)), space(USERS, ITEMS)
    assert judge(new, live, SpaceParams(align=False)).change == "breaking"


def test_a_set_that_hardly_moved_is_the_same_where_alignment_is_switched_off():
    verdict = judge(space(*noisy(0.01)), space(USERS, ITEMS), SpaceParams(align=False))
    assert (verdict.change, verdict.rotation) == ("same", None)


def test_near_vectors_with_other_rankings_are_not_aligned():
    new, live = turned(orthogonal(8), *noisy(0.2)), space(USERS, ITEMS)
    overlap = compare(new, live, PARAMS).overlap
    assert judge(new, live, SpaceParams(min_overlap=overlap)).change == "aligned"
    assert judge(new, live, SpaceParams(min_overlap=overlap + 0.001)).change == "breaking"


def test_without_common_users_and_items_a_set_is_breaking():
    live = space(USERS, ITEMS)
    none = space(np.empty((0, 8), np.float32), np.empty((0, 8), np.float32))
    assert judge(none, live, PARAMS).change == "breaking"
    found = compare(none, live, PARAMS)
    assert found.overlap is None
    assert np.array_equal(found.rotation, np.eye(8))


def test_a_single_user_is_turned_without_touching_the_rest_of_space():
    live = space(USERS[:1], np.empty((0, 8), np.float32))
    new = turned(orthogonal(8), USERS[:1], np.empty((0, 8), np.float32))
    rotation = compare(new, live, PARAMS).rotation
    assert np.abs(rotation @ rotation.T - np.eye(8)).max() < 1e-12
    assert align(new.users.vectors, rotation) == pytest.approx(live.users.vectors, abs=1e-6)


def test_the_rotation_is_the_best_for_both_sides_at_equal_weight():
    live = space(USERS, ITEMS[:9])
    new = turned(orthogonal(8), *noisy(0.5)).users.vectors, turned(orthogonal(8, 1)).items.vectors[:9]
    sides = [
        (a / np.linalg.norm(b), b / np.linalg.norm(b)) for a, b in zip(new, (USERS, ITEMS[:9]), strict=True)
    ]
    expected, _ = orthogonal_procrustes(*(np.vstack(stacked) for stacked in zip(*sides, strict=True)))
    assert compare(space(*new), live, PARAMS).rotation == pytest.approx(expected, abs=1e-6)


def test_a_few_items_weigh_as_much_as_many_users():
    # The users' residual alone would call this the same.
    live = space(USERS, ITEMS[:3])
    new = space(USERS, -ITEMS[:3])
    found = compare(new, live, PARAMS)
    assert found.users.residual == 0
    assert found.items.residual == pytest.approx(2)
    assert found.residual == pytest.approx(np.sqrt(2))
    assert found.change(PARAMS) == "breaking"


def test_the_figures_say_what_moved():
    facts = compare(space(USERS * 2, ITEMS / 2), space(USERS, ITEMS), PARAMS).as_facts()
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert (facts["users"]["norm_ratio"], facts["items"]["norm_ratio"]) == (2, 0.5)
    assert (facts["users"]["common"], facts["items"]["common"], facts["probes"]) == (300, 90, 300)
    assert (facts["users"]["residual"], facts["items"]["residual"]) == (1, 0.5)
    moved = compare(space(USERS + 1, ITEMS), space(USERS, ITEMS), PARAMS).users
    assert moved.centroid_shift == pytest.approx(np.sqrt(8) / np.linalg.norm(USERS, axis=1).mean())


@pytest.mark.parametrize("sizes", [*itertools.product((1e-42, 1e-25, 1, 1e25, 1e38), repeat=2)])
def test_figures_of_vectors_of_any_size_can_be_written_as_json(sizes):
    users, items = USERS / np.abs(USERS).max(), ITEMS / np.abs(ITEMS).max()
    new, live = (space((users * s).astype(np.float32), (items * s).astype(np.float32)) for s in sizes)
    with np.errstate(over="ignore", invalid="ignore"):  # scores in float32, of which only ranks are read
        found = compare(new, live, PARAMS)
    json.dumps(found.as_facts(), allow_nan=False)
    assert found.users.norm_ratio == pytest.approx(sizes[0] / sizes[1], rel=0.01)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("side", ["users", "items"])
def test_vectors_that_are_not_finite_are_an_error_that_names_their_file(tmp_path, side, value):
    sides = {"users": USERS.copy(), "items": ITEMS.copy()}
    sides[side][3, 2] = value
    damaged, sound = written(tmp_path / "set", space(**sides)), space(USERS, ITEMS)
    for new, live in ((damaged, sound), (sound, damaged)):
        with pytest.raises(StoreError, match=r"1 of .* vectors that are compared .* not finite") as told:
            compare(new, live, PARAMS)
        assert told.value.file == str(tmp_path / "set" / f"{side}.parquet")
        assert told.value.column == "vector"


def test_an_id_that_had_no_say_in_the_rotation_is_judged_too():
    turned_space, noise = turned(orthogonal(8), *noisy(0.3)), space(normal(300, 8, 7), normal(90, 8, 8))
    enough, few = (compare(turned_space, space(USERS, ITEMS), SpaceParams(sample=n)) for n in (90, 6))
    assert enough.residual_held_out == pytest.approx(enough.residual_aligned, rel=0.2)
    assert few.residual_held_out > 2 * few.residual_aligned
    assert compare(noise, space(USERS, ITEMS), PARAMS).residual_held_out > 1


def test_more_rows_than_are_held_at_once_give_the_same_figures():
    many = normal(9_001, 3), normal(5, 3, 1)
    moved = (many[0] + normal(9_001, 3, 2), many[1])
    found = compare(space(*moved), space(*many), PARAMS).users
    assert found.residual == pytest.approx(np.linalg.norm(moved[0] - many[0]) / np.linalg.norm(many[0]))
    shift = np.linalg.norm((moved[0] - many[0]).mean(axis=0)) / np.linalg.norm(many[0], axis=1).mean()
    assert found.centroid_shift == pytest.approx(shift, rel=1e-4)


def test_only_a_sample_is_looked_at():
    found = compare(space(USERS, ITEMS), space(USERS, ITEMS), SpaceParams(sample=40, probes=16))
    assert (found.users.common, found.users.compared) == (300, 40)
    assert (found.items.compared, found.probes) == (40, 16)
    assert found.residual == 0


def test_a_space_is_named_after_the_model_that_began_it():
    assert space_id(MODEL, "first") == space_id(MODEL, "breaking", LIVE_SPACE) == MODEL[:16]
    assert space_id(MODEL, "same", LIVE_SPACE) == space_id(MODEL, "aligned", LIVE_SPACE) == LIVE_SPACE
    with pytest.raises(ValueError, match="'aligned' goes on with a space"):
        space_id(MODEL, "aligned")


def test_a_bound_for_same_above_that_for_aligned_is_refused():
    with pytest.raises(ValidationError, match=r"same_residual \(0.7\) must not be above aligned_residual"):
        SpaceParams(same_residual=0.7)
