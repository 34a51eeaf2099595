"""A worker that is killed under Dagster: the step is retried by itself, from the last checkpoint on."""

import contextlib
import dataclasses
import os
import signal
import threading
import time

import dagster as dg
import psutil
import pytest

from hier_dag.config.trainer import TrainerParams
from hier_dag.pipeline.stages import ENCODER, GRAPH
from hier_dag.progress import listening
from hier_dag.train.job import PretrainJob, run_pretraining
from resources import Trainer


@pytest.fixture
def run(own, pretrain_again):
    """Pre-trains with another seed in a worker process that saves at every step; gives the run."""
    params = TrainerParams(mode="subprocess", checkpoint_seconds=0).model_dump()
    trainer = Trainer(checkpoints=str(own.home.checkpoints), **params)
    seed = own.config.stages.pretrain.seed + 1
    return lambda: pretrain_again(trainer=trainer, seed=seed)


class Killer(threading.Thread):
    """Kills each worker that has saved a checkpoint of its own, so many times."""

    def __init__(self, folder, times):
        super().__init__(daemon=True)
        self.folder, self.times, self.killed = folder, times, []

    def run(self):
        while len(self.killed) < self.times:
            found = (c for c in psutil.Process().children() if c.pid not in self.killed and self._due(c))
            for worker in list(found)[:1]:
                os.kill(worker.pid, signal.SIGKILL)
                self.killed.append(worker.pid)
            time.sleep(0.01)

    def _due(self, child):
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError):
            since = child.create_time()
            saved = any(p.stat().st_mtime > since for p in self.folder.glob("*/step-*"))
            return saved and "hier_dag.worker" in child.cmdline()
        return False


def test_a_killed_worker_is_followed_by_one_that_goes_on(own, run, tmp_path):
    killer, told = Killer(own.home.checkpoints, times=1), []
    killer.start()
    with listening(told.append):
        result = run()
    assert result.success
    assert len(killer.killed) == 1
    (retry,) = [e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]
    said = retry.event_specific_data.error.cause.message
    assert "died without a word" in said
    assert "goes on from the last checkpoint" in said
    # Progress of both workers was heard while they ran, and none of it began anew.
    steps = [s.done for s in told if s.text.startswith("epoch ")]
    assert steps
    assert steps == sorted(steps)
    assert {s.work for s in told} == {"pretrain/encoder"}
    assert not list(own.home.checkpoints.iterdir())
    artifact = own.latest(ENCODER)
    graph = own.store.open(GRAPH, artifact.manifest.parents["graph"]).path
    config = own.config
    params = dataclasses.replace(config.stages.pretrain, seed=config.stages.pretrain.seed + 1)
    whole = PretrainJob(
        graph=graph, sources=config.source_names, targets=config.target_names, params=params,
        out=tmp_path / "whole",
    )  # fmt: skip
    run_pretraining(whole)
    for name in ("model.safetensors", "encoding.safetensors", "curve.parquet"):
        assert (tmp_path / "whole" / name).read_bytes() == artifact.file(name).read_bytes()


def test_a_worker_that_dies_every_time_fails_the_run_and_keeps_the_last_checkpoint(own, run):
    before = own.latest(ENCODER).digest
    killer = Killer(own.home.checkpoints, times=3)
    killer.start()
    result = run()
    assert not result.success
    assert len(killer.killed) == 3
    assert own.latest(ENCODER).digest == before
    (folder,) = own.home.checkpoints.iterdir()
    assert list(folder.glob("step-*"))
