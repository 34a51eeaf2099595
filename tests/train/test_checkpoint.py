"""Checkpoints: whole or not at all, of one training, by one process, readable by nobody's leave but ours."""

import json
import os
import stat
import subprocess
import sys

import pytest
import torch

from hier_dag.errors import TrainingError
from hier_dag.train.checkpoint import STATE, TENSORS, Checkpoints, Snapshot


def snapshot(number):
    generator = torch.Generator().manual_seed(number)
    tensors = {"model/w": torch.randn(5, 3, generator=generator), "rng": torch.arange(7, dtype=torch.uint8)}
    return Snapshot(tensors, {"step": number, "loss": 1 / 3 + number})


def steps(checkpoints):
    return sorted(int(p.name.removeprefix("step-")) for p in checkpoints.folder.glob("step-*"))


@pytest.fixture
def checkpoints(tmp_path):
    opened = Checkpoints(tmp_path / "training", "a key", every=0, keep=2)
    yield opened
    opened.close()


def test_the_newest_comes_back_bit_for_bit(checkpoints):
    assert checkpoints.latest() is None
    for number in (1, 2, 3):
        checkpoints.save(number, snapshot(number))
    back, want = checkpoints.latest(), snapshot(3)
    assert back.state == want.state
    assert back.tensors.keys() == want.tensors.keys()
    assert all(torch.equal(back.tensors[name], want.tensors[name]) for name in want.tensors)


def test_ranks_that_look_later_open_the_one_that_the_first_chose(checkpoints):
    for number in (1, 2):
        checkpoints.save(number, snapshot(number))
    chosen = checkpoints.newest()
    checkpoints.save(3, snapshot(3))
    other = Checkpoints(checkpoints.folder, "a key", reads_only=True)
    assert other.open(chosen).state == snapshot(2).state
    flip(checkpoints.folder / f"step-{2:012d}" / TENSORS, -3)
    with pytest.raises(TrainingError, match="not whole here"):
        other.open(chosen)


def test_the_last_few_and_the_best_stay(checkpoints):
    for number in range(1, 8):
        checkpoints.save(number, snapshot(number), best=number in (2, 4))
    assert steps(checkpoints) == [4, 6, 7]


def test_a_step_saved_again_replaces_what_was_there(checkpoints):
    checkpoints.save(1, snapshot(1))
    checkpoints.save(1, snapshot(9))
    assert checkpoints.latest().state == snapshot(9).state
    assert steps(checkpoints) == [1]


DAMAGE = {
    "a byte of the tensors": lambda f: flip(f / TENSORS, -3),
    "the tensors cut short": lambda f: os.truncate(f / TENSORS, 50),
    "no tensors": lambda f: (f / TENSORS).unlink(),
    "a byte of the state": lambda f: flip(f / STATE, 30),
    "the state cut short": lambda f: os.truncate(f / STATE, 20),
    "no state": lambda f: (f / STATE).unlink(),
    "a state that is no object": lambda f: (f / STATE).write_text("[1]"),
    "another loss": lambda f: (f / STATE).write_text(
        (f / STATE).read_text().replace('"step": 2', '"step": 7')
    ),
}


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_one_is_passed_over_for_the_one_before(checkpoints, how):
    checkpoints.save(1, snapshot(1))
    checkpoints.save(2, snapshot(2))
    DAMAGE[how](checkpoints.folder / f"step-{2:012d}")
    assert checkpoints.latest().state == snapshot(1).state


def test_a_pickle_in_the_place_of_tensors_is_not_opened(checkpoints, tmp_path):
    checkpoints.save(1, snapshot(1))
    folder = checkpoints.folder / f"step-{1:012d}"
    torch.save({"w": torch.ones(2)}, folder / TENSORS)
    assert checkpoints.latest() is None


def test_another_training_is_not_resumed(checkpoints):
    checkpoints.save(1, snapshot(1))
    checkpoints.close()
    other = Checkpoints(checkpoints.folder, "another key")
    assert other.latest() is None
    other.close()


def test_what_a_killed_save_left_is_gone_after_the_next_start(checkpoints):
    torn = checkpoints.folder / ".staging-0"
    torn.mkdir()
    (torn / TENSORS).write_bytes(b"half")
    checkpoints.close()
    Checkpoints(checkpoints.folder, "a key").close()
    assert not torn.exists()


def test_a_second_process_is_refused_and_told_what_to_do(checkpoints):
    code = (
        "import sys, pathlib; from hier_dag.train.checkpoint import Checkpoints;"
        "Checkpoints(pathlib.Path(sys.argv[1]), 'a key', patience=0)"
    )
    command = [sys.executable, "-c", code, str(checkpoints.folder)]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "another process is training the same encoder" in refused.stderr
    checkpoints.close()
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_the_same_process_may_not_open_it_twice_either(checkpoints):
    with pytest.raises(TrainingError, match="another process"):
        Checkpoints(checkpoints.folder, "a key", patience=0)


def test_nobody_else_may_write_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        opened = Checkpoints(tmp_path / "training", "a key")
        opened.save(1, snapshot(1))
        opened.close()
    finally:
        os.umask(before)
    modes = [p.stat().st_mode for p in [opened.folder, *opened.folder.rglob("*")]]
    assert len(modes) == 5
    assert not any(mode & (stat.S_IWGRP | stat.S_IWOTH) for mode in modes)


def test_it_is_due_after_its_seconds(tmp_path):
    slow = Checkpoints(tmp_path / "slow", "a key", every=3600)
    always = Checkpoints(tmp_path / "always", "a key", every=0)
    assert (slow.due, always.due) == (False, True)
    for opened in (slow, always):
        opened.close()


def test_the_state_is_plain_json(checkpoints):
    checkpoints.save(1, snapshot(1))
    state = json.loads((checkpoints.folder / f"step-{1:012d}" / STATE).read_text())
    assert state["key"] == "a key"
    assert state["state"]["loss"] == 1 / 3 + 1
