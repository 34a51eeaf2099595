"""Checkpoints of trainings that were given up go after some days; what is young, held or wanted stays."""

import os
import time

import pytest

from hier_dag.train.lock import held
from hier_dag.train.unfinished import remove_unfinished

DAY = 86_400


@pytest.fixture
def root(tmp_path):
    return tmp_path / "checkpoints"


def saved(root, key, days):
    """A training's folder in which something was last written so many days ago."""
    held(root / key).close()
    step = root / key / "step-1"
    step.mkdir()
    (step / "state.json").write_text("{}")
    at = time.time() - days * DAY
    for path in (step / "state.json", step, root / key / ".lock", root / key):
        os.utime(path, (at, at))
    return root / key


def test_only_old_ones_of_other_trainings_go(root):
    for key, days in (("old", 15), ("older", 400), ("young", 13), ("mine", 15)):
        saved(root, key, days)
    assert remove_unfinished(root, 14, keep="mine") == ["old", "older"]
    assert sorted(p.name for p in root.iterdir()) == ["mine", "young"]
    assert remove_unfinished(root, 14, keep="mine") == []


def test_the_newest_checkpoint_counts_not_the_folder(root):
    folder = saved(root, "a", 30)
    (folder / "step-2").mkdir()
    os.utime(folder, (0, 0))
    assert remove_unfinished(root, 14, keep="") == []


def test_one_that_a_process_trains_in_stays_however_old(root):
    folder = saved(root, "a", 30)
    with held(folder):
        for path in (folder / ".lock", folder):
            os.utime(path, (0, 0))
        assert remove_unfinished(root, 14, keep="") == []
        assert folder.is_dir()
    for path in (folder / ".lock", folder):
        os.utime(path, (0, 0))
    assert remove_unfinished(root, 14, keep="") == ["a"]


def test_what_a_removal_that_was_killed_left_goes_too(root):
    saved(root, ".gone-1", 30)
    assert remove_unfinished(root, 14, keep="") == []
    assert not list(root.iterdir())


def test_a_link_is_not_followed_and_no_folder_is_no_fault(root, tmp_path):
    assert remove_unfinished(root, 14, keep="") == []
    other = saved(tmp_path, "other", 30)
    root.mkdir()
    (root / "link").symlink_to(other)
    assert remove_unfinished(root, 14, keep="") == []
    assert (other / "step-1").is_dir()
