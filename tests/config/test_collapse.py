"""A collapsed encoder is told from a sound one, and what is said names monitor, value, bound and fix."""

import pytest
from pydantic import ValidationError

from hier_dag.config.collapse import CollapseBounds
from hier_dag.config.stages import GateParams
from hier_dag.train.monitors import MONITORS

# The last epochs of the sample platform and of eight cities' reviews, as trained by default.
SOUND = {
    "open_paths": 0.014, "exemplar_entropy": 0.78, "view_cosine": 0.89, "user_rank": 0.71, "item_rank": 0.62,
}  # fmt: skip
COLLAPSED = {  # bound: (what a collapse shows, what is said of it)
    "min_open_paths": ({"open_paths": 0.0}, "open_paths 0 is below min_open_paths 0.0001"),
    "min_exemplar_entropy": (
        {"exemplar_entropy": 0.0}, "exemplar_entropy 0 is below min_exemplar_entropy 0.05"
    ),
    "max_view_cosine": ({"view_cosine": 1.0}, "view_cosine 1 is above max_view_cosine 0.9999"),
    "min_user_directions": (
        {"user_rank": 1 / 64}, "user_rank 0.01562 (1.00 of 64 directions) is below min_user_directions 2"
    ),
    "min_item_directions": (
        {"item_rank": 1 / 64}, "item_rank 0.01562 (1.00 of 64 directions) is below min_item_directions 2"
    ),
}  # fmt: skip


def test_a_sound_encoder_breaks_no_default():
    assert set(SOUND) == {"open_paths", *MONITORS}
    assert list(CollapseBounds().breaches(SOUND, 64)) == []


@pytest.mark.parametrize("bound", COLLAPSED)
def test_each_collapse_is_named_with_its_fix_and_a_bound_can_be_taken_away(bound):
    shown, words = COLLAPSED[bound]
    (breach,) = CollapseBounds().breaches(SOUND | shown, 64)
    assert breach.message == words
    assert "stages.pretrain." in breach.fix
    assert not list(CollapseBounds(**{bound: None}).breaches(SOUND | shown, 64))


def test_too_many_open_paths_are_refused_where_that_is_declared():
    bounds = CollapseBounds(max_open_paths=0.01)
    (breach,) = bounds.breaches(SOUND, 64)
    assert breach.message == "open_paths 0.014 is above max_open_paths 0.01"


def test_one_direction_is_a_collapse_at_every_width():
    for dim in (8, 16, 256):
        assert len(list(CollapseBounds().breaches({"user_rank": 1 / dim, "item_rank": 1 / dim}, dim))) == 2


def test_what_was_not_measured_is_not_judged():
    assert not list(CollapseBounds().breaches({}, 64))


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_open_paths": 0.5, "max_open_paths": 0.1}, {"max_view_cosine": 1.5},
        {"min_user_directions": 0.2},
        {"min_user_directions": float("nan")}, {"level": "ignore"}, {"min_rank": 1},
    ],
    ids=str,
)  # fmt: skip
def test_bounds_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValidationError):
        GateParams(collapse=wrong)
