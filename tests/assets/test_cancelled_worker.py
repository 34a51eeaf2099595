"""A run that is cancelled while a worker trains: it saves and ends, or is ended, and nothing is retried."""

import contextlib
import os
import signal
import threading
import time

import dagster as dg
import psutil
import pytest

from hier_dag.config.trainer import TrainerParams
from hier_dag.pipeline.stages import ENCODER
from resources import Trainer


class Canceller(threading.Thread):
    """Cancels the run in this process, as Dagster does, once its training has saved a checkpoint.

    Args:
        folder: of all checkpoints.
        stuck: whether the worker is stopped first, so that it never hears of it.
        times: how often it is cancelled, a second apart.
    """

    def __init__(self, folder, *, stuck=False, times=1):
        super().__init__(daemon=True)
        self.folder, self.stuck, self.times, self.workers = folder, stuck, times, []

    def run(self):
        while not list(self.folder.glob("*/step-*")):
            time.sleep(0.01)
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "hier_dag.worker" in child.cmdline():
                    self.workers.append(child)
                    if self.stuck:
                        child.suspend()
        for number in range(self.times):
            time.sleep(number)
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def cancelled(own, pretrain_again):
    """Pre-trains with another seed, saved at every step, and cancels it; gives the run and its workers."""

    def run(*, stuck=False, times=1, mode="subprocess", **options):
        params = TrainerParams(mode=mode, checkpoint_seconds=0).model_dump()
        trainer = Trainer(checkpoints=str(own.home.checkpoints), **params, **options)
        canceller = Canceller(own.home.checkpoints, stuck=stuck, times=times)
        canceller.start()
        seed = own.config.stages.pretrain.seed + 1
        result = pretrain_again(trainer=trainer, seed=seed)
        canceller.join(10)
        return result, canceller.workers

    return run


def said(result):
    """What the step that failed says; it failed once and for all."""
    assert not result.success
    events = [e.event_type for e in result.all_events]
    assert dg.DagsterEventType.STEP_UP_FOR_RETRY not in events
    (failed,) = [e for e in result.all_events if e.is_step_failure]
    return failed.step_failure_data.user_failure_data.description


def saved(own):
    (folder,) = own.home.checkpoints.iterdir()
    return sorted(p.name for p in folder.glob("step-*"))


@pytest.mark.parametrize("mode", ["subprocess", "inline"])
def test_it_saves_and_the_next_run_goes_on(own, cancelled, pretrain_again, mode):
    before = own.latest(ENCODER).digest
    result, workers = cancelled(mode=mode)
    assert "cancelled: [interrupted] stopped as asked at epoch" in said(result)
    assert "goes on from there" in said(result)
    assert len(workers) == (mode == "subprocess")
    assert not any(w.is_running() for w in workers)
    assert own.latest(ENCODER).digest == before
    assert saved(own)
    assert pretrain_again(seed=own.config.stages.pretrain.seed + 1).success
    assert own.latest(ENCODER).digest != before
    assert not list(own.home.checkpoints.iterdir())


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"saving_seconds": 1}, "the worker did not finish saving in 1 s and was killed"),
        ({"times": 2}, "the worker was killed before it had saved, as asked a second time"),
    ],
    ids=["late", "asked twice"],
)
def test_a_worker_that_does_not_save_is_killed_and_its_checkpoints_stay(own, cancelled, how, words):
    result, workers = cancelled(stuck=True, **how)
    assert f"cancelled: {words}; the last checkpoint stays" in said(result)
    assert "goes on from the last checkpoint" in said(result)
    assert len(workers) == 1
    assert not workers[0].is_running()
    assert saved(own)
