"""Waiting for another process that trains the same encoder: as long as that one gets on, and no longer."""

import threading
import time

import pytest

from hier_dag.errors import Busy, Interrupted
from hier_dag.train import turn
from hier_dag.train.lock import held, removed
from hier_dag.train.turn import wait_for_turn


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(turn, "_LOOK_AGAIN", 0.02)
    return tmp_path / "a key"


@pytest.fixture
def other(folder):
    """Another training at work; gives the lock that it holds."""
    with held(folder) as lock:
        yield lock


def nothing(_):
    pass


def test_nobody_else_is_no_reason_to_wait(folder):
    told = []
    wait_for_turn(folder, 60, told.append)
    held(folder).close()
    wait_for_turn(folder, 60, told.append)
    assert not told


def test_one_that_ends_before_it_is_done_is_followed(folder, other):
    told = []

    def tell(text):
        told.append(text)
        if len(told) == 3:
            other.close()

    wait_for_turn(folder, 60, tell)
    assert told == ["waits for another process that trains the same encoder"] * 3


def test_one_that_is_done_has_left_its_result(folder, other):
    def done(_):
        other.close()
        removed(folder)

    with pytest.raises(Busy, match="a retry, or the next run, finds it"):
        wait_for_turn(folder, 60, done)


def test_one_that_saves_is_waited_for_and_one_that_does_not_is_not(folder, other):
    told = []

    def tell(_):
        told.append(None)
        if len(told) < 30:
            (folder / f"step-{len(told)}").mkdir()

    with pytest.raises(Busy, match=r"has saved nothing for 0.2 s.*end that process"):
        wait_for_turn(folder, 0, tell, patience=0.2)
    assert len(told) > 30


def test_seldom_checkpoints_are_waited_for(folder, other):
    threading.Timer(0.6, other.close).start()
    began = time.monotonic()
    wait_for_turn(folder, 60, nothing, patience=0.1)
    assert time.monotonic() - began > 0.5  # past its patience, until the other one ended
    assert other.closed


def test_it_stops_when_it_is_told_to(folder, other):
    with pytest.raises(Interrupted, match="nothing was done"):
        wait_for_turn(folder, 60, nothing, lambda: True)
