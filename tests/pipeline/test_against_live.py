"""The name of the space decides what a set is to the live one; figures tell `same` from `aligned`."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from hier_dag.errors import StoreError
from hier_dag.pipeline.against_live import compare_with_live
from hier_dag.publish.space.params import SpaceParams
from tests.publish.space.helpers import normal, space, written

USERS, ITEMS = normal(200, 8), normal(60, 8, 1)
PARAMS = SpaceParams()


@pytest.fixture
def a_set(tmp_path):
    """A published set in a space, its vectors with noise of a share of their norm."""

    def make(name, noise=0.0, seed=5):
        folder = tmp_path / f"{name}-{noise}-{seed}"
        rows = USERS + noise * normal(200, 8, seed), ITEMS + noise * normal(60, 8, seed + 1)
        written(folder, space(*(side.astype(np.float32) for side in rows)))
        return SimpleNamespace(path=folder, manifest=SimpleNamespace(summary={"space": name}))

    return make


def test_with_nothing_live_a_set_is_the_first(a_set):
    assert compare_with_live(PARAMS)(a_set("a"), None) == ("first", {})


def test_a_set_of_the_same_space_that_hardly_moved_is_the_same(a_set):
    change, facts = compare_with_live(PARAMS)(a_set("a", 0.05), a_set("a"))
    assert change == "same"
    assert facts["residual"] == pytest.approx(0.05, rel=0.1)


def test_two_sets_of_one_space_are_never_breaking_however_far_apart(a_set):
    # Each is within the bound of aligned_residual of the set that began the space; together they are not.
    change, facts = compare_with_live(PARAMS)(a_set("a", 0.38), a_set("a", 0.38, seed=9))
    assert change == "aligned"
    assert facts["residual"] > PARAMS.aligned_residual
    assert facts["overlap"] < PARAMS.min_overlap
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def test_a_set_that_shares_no_id_with_the_live_one_goes_by_its_name(a_set, tmp_path):
    empty = space(np.empty((0, 8), np.float32), np.empty((0, 8), np.float32))
    written(tmp_path / "empty", empty)
    for name, expected in (("a", "aligned"), ("b", "breaking")):
        live = SimpleNamespace(path=tmp_path / "empty", manifest=SimpleNamespace(summary={"space": name}))
        change, facts = compare_with_live(PARAMS)(a_set("a", seed=len(name + expected)), live)
        assert (change, facts["residual"]) == (expected, None)


@pytest.mark.parametrize(("new", "live"), [("a", "b"), ("a", None), (None, None)])
def test_without_one_name_a_set_is_breaking_however_near(a_set, new, live):
    change, facts = compare_with_live(PARAMS)(a_set(new), a_set(live, seed=6))
    assert (change, facts["residual"]) == ("breaking", 0)


def test_a_live_file_that_is_not_finite_is_an_error_before_anything_is_committed(a_set):
    with pytest.raises(StoreError, match="not finite") as told:
        compare_with_live(PARAMS)(a_set("a"), a_set("a", np.nan))
    assert told.value.file.endswith("users.parquet")
