"""`hier run` that is told to stop, alone and not its process group: in order, to be gone on with."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import yaml
from dagster import DagsterRunStatus

from hier_dag.pipeline.stages import ENCODER


@pytest.fixture
def retraining(own):
    """A finished platform whose encoder must be trained again, by a worker that saves at every step."""
    document = yaml.safe_load(own.domains.read_text(encoding="utf-8"))
    document["stages"]["pretrain"]["seed"] = 1
    document["trainer"] = {"checkpoint_seconds": 0}
    own.domains.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return own


def test_it_saves_and_says_how_to_go_on(retraining):
    before = retraining.latest(ENCODER).digest, retraining.live()
    command = [sys.executable, "-m", "hier_dag.cli.app", "run", str(retraining.domains), "--json"]
    environment = {**os.environ, **retraining.environment()}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    deadline = time.monotonic() + 120
    while not list(retraining.home.checkpoints.glob("*/step-*")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=90)
    assert process.returncode == 130, err
    assert "the same command goes on from here" in err
    steps = json.loads(out)["steps"]
    assert steps[-1]["step"] == ENCODER
    assert steps[-1]["outcome"] == "cancelled"
    assert "stopped as asked at epoch" in steps[-1]["message"]
    assert workers
    assert not any(w.is_running() for w in workers)
    assert (retraining.latest(ENCODER).digest, retraining.live()) == before
    assert list(retraining.home.checkpoints.glob("*/step-*"))
    run = retraining.instance().get_run_by_id(steps[-1]["run_id"])
    assert run.status is DagsterRunStatus.CANCELED
