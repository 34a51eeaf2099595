"""Ranks that share each batch train as one process does."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from hier_dag.errors import error_of
from hier_dag.graph.files import load_graph
from hier_dag.model.formulation import WHOLE, Shard
from hier_dag.model.reach import Fanout
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.pipeline.stages import ENCODER, GRAPH
from hier_dag.train.batches import SourcePairs
from hier_dag.train.checkpoint import STATE
from hier_dag.train.job import PretrainJob, Saving, run_pretraining
from hier_dag.train.lock import held
from hier_dag.train.pretrain import pretrain
from hier_dag.train.tensorboard import EPOCHS, STEPS
from hier_dag.train.update import weighted
from hier_dag.worker import DONE, REFUSED, STOPPED


@pytest.mark.parametrize("world", [1, 2, 3, 7])
@pytest.mark.parametrize("n", [0, 1, 2, 6, 7, 100])
def test_shards_hold_every_row_once_and_weigh_one(n, world):
    shards = [Shard(rank, world) for rank in range(world)]
    if n >= world:
        assert [r for s in shards for r in range(n)[s.rows(n)]] == list(range(n))
    assert sum(s.weight(n) for s in shards if n) == pytest.approx(1 if n else 0)


@pytest.fixture
def gradients(case):
    """Loss, terms and gradients of a first batch, summed over some shards, each drawing the same numbers."""

    def of(shards, pairs, **changes):
        torch.manual_seed(5)
        params = case.with_params(**changes)
        model = build_model(source_view(case.graph), params).double()
        if params.graph == "sampled":
            model.sample(Fanout(params.neighbour_fanout, params.history_fanout))
        drawn = SourcePairs(case.graph, pairs, params.negatives, torch.device("cpu"))
        batch = drawn.batch(drawn.order(), 1)
        state, sums = torch.get_rng_state(), {}
        for shard in shards:
            torch.set_rng_state(state)
            terms = model.losses(batch, shard)
            weighted(terms, params).backward()
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + term.item()
        grads = {name: p.grad for name, p in model.named_parameters()}
        return sums, {name: None if g is None else g.to_dense() for name, g in grads.items()}

    return of


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("pairs", [128, 2, 1])
@pytest.mark.parametrize(
    "changes",
    [{"model": "recommended"}, {"model": "recommended", "rank_loss": "bpr"}, {"model": "literal"},
     {"model": "recommended", "graph": "sampled", "neighbour_fanout": 2, "history_fanout": 2},
     {"model": "recommended", "content_paths": False}, {"model": "recommended", "bottleneck": "hsic"}],
    ids=lambda c: "-".join(map(str, c.values())),
)  # fmt: skip
def test_the_shards_gradients_add_up_to_that_of_the_whole_batch(gradients, world, pairs, changes):
    terms, whole = gradients([WHOLE], pairs, **changes)
    parts, summed = gradients([Shard(rank, world) for rank in range(world)], pairs, **changes)
    assert parts == pytest.approx(terms, rel=1e-9)
    for name, gradient in whole.items():
        if gradient is None:
            assert summed[name] is None
        else:
            torch.testing.assert_close(summed[name], gradient, rtol=1e-8, atol=1e-12)


def written(platform, folder, every):
    """Writes an order for two ranks; gives the command, the outcome's file and the job."""
    config = platform.config
    curves = folder / "curves" if find_spec("tensorboard") else None
    job = PretrainJob(
        graph=platform.latest(GRAPH).path,
        sources=config.source_names,
        targets=config.target_names,
        params=config.stages.pretrain,
        out=folder / "out",
        saving=Saving(folder=folder / "saved", key="key", every=every, curves=curves),
    )
    file, outcome = folder / "job.json", folder / "outcome.json"
    order = {"work": "pretrain", "job": job.as_json(), "outcome": str(outcome), "processes": 2}
    file.write_text(json.dumps(order), encoding="utf-8")
    return [sys.executable, "-m", "hier_dag.worker", str(file)], outcome, job


@pytest.fixture
def ranked(platform, tmp_path):
    """An order for two ranks that save so many seconds apart: command, outcome and job."""
    return lambda every: written(platform, tmp_path, every)


@pytest.fixture(scope="module")
def whole(finished, tmp_path_factory):
    """Two ranks that trained to the end: how their launcher ended, the outcome and the job."""
    command, outcome, job = written(finished, tmp_path_factory.mktemp("whole"), every=3600)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == DONE, done.stderr
    return done, outcome, job


def assert_close(job, artifact):
    """Curve and weights are those of one process, up to the order in which floats are added."""
    made, want = (pq.read_table(f / "curve.parquet").to_pydict() for f in (job.out, artifact.path))
    for name in ("epoch", "kept"):
        assert made[name] == want[name]
    assert made["loss"] == pytest.approx(want["loss"], rel=1e-4)
    for name in ("rank", "auxiliary", "mi", "exemplar", "path", "l2"):
        assert made[name] == pytest.approx(want[name], rel=5e-3)
    assert made["ndcg"] == pytest.approx(want["ndcg"], abs=1e-3)
    # What the loss hardly sees has next to no gradient but rounding, which Adam makes whole steps of: the
    # trajectory and the users' vectors must agree, not every weight.
    one, other = (load_file(f / "encoding.safetensors")["users"] for f in (artifact.path, job.out))
    assert torch.linalg.norm(other - one) < 1e-2 * torch.linalg.norm(one)


@pytest.mark.skipif(not find_spec("tensorboard"), reason="pip install -e '.[tensorboard]'")
def test_the_first_process_alone_writes_curves(whole):
    _, _, job = whole
    assert [len(list((job.saving.curves / run).iterdir())) for run in (EPOCHS, STEPS)] == [1, 1]


def test_two_processes_train_as_one_does(platform, whole):
    done, outcome, job = whole
    artifact = platform.latest(ENCODER)
    assert_close(job, artifact)
    assert json.loads(outcome.read_text())["facts"]["epochs"] == artifact.manifest.summary["epochs"]
    # One of them told how far it came.
    steps = [json.loads(line)["progress"] for line in done.stdout.splitlines()]
    told = [step["done"] for step in steps if step["text"].startswith("epoch ")]
    assert told == sorted(told)
    assert told.count(told[-1]) <= 2  # the last step, and the end of its epoch


def started(command, job):
    """A launcher at work, and its ranks by number, once the first checkpoint is there."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while not list(job.saving.folder.glob("step-*")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    return process, {c.environ()["RANK"]: c for c in children if "RANK" in c.environ()}


def finish(command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == DONE, done.stderr


def saved(job):
    return sorted(p.name for p in job.saving.folder.glob("step-*"))


def test_a_killed_rank_fails_the_run_by_name_and_the_next_run_goes_on(platform, ranked):
    command, outcome, job = ranked(0)
    process, ranks = started(command, job)
    os.kill(ranks["1"].pid, signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == REFUSED, said
    error = error_of(json.loads(outcome.read_text())["error"])
    assert error.code == "rank_lost"
    assert "rank 1 of 2 was killed (SIGKILL)" in str(error)
    assert "goes on from the last checkpoint" in str(error)
    steps = saved(job)
    finish(command)
    assert saved(job)[-1] > steps[-1]
    assert_close(job, platform.latest(ENCODER))


def test_ranks_whose_launcher_is_told_to_stop_save_once_and_go_on_to_equal_bits(ranked, whole):
    command, outcome, job = ranked(3600)
    process, ranks = started(command, job)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == STOPPED, said
    error = error_of(json.loads(outcome.read_text())["error"])
    assert error.code == "interrupted"
    assert not psutil.wait_procs(ranks.values(), timeout=0)[1]
    # Both stopped after the same step, and that step alone was saved after the start.
    (where,) = set(re.findall(r"stopped as asked at epoch (\d+), step (\d+)", said))
    _, newest = saved(job)
    place = json.loads((job.saving.folder / newest / STATE).read_bytes())["state"]["place"]
    assert (str(place["epoch"]), str(place["step"])) == where
    finish(command)
    for name in ("model.safetensors", "encoding.safetensors", "curve.parquet"):
        assert (job.out / name).read_bytes() == (whole[2].out / name).read_bytes(), name


def test_ranks_whose_launcher_is_killed_save_and_end(ranked):
    command, _, job = ranked(0)
    process, ranks = started(command, job)
    assert set(ranks) == {"0", "1"}
    process.kill()
    process.communicate()
    assert not psutil.wait_procs(ranks.values(), timeout=60)[1]
    lock = held(job.saving.folder)  # nobody trains there any more
    lock.close()
    assert saved(job)


@pytest.fixture(scope="module", params=[False, True], ids=["each holds the tables", "they share the tables"])
def sampled(request, finished, tmp_path_factory):
    """The order of two ranks that trained on samples to the end, sharing the tables or not."""
    command, _, _ = written(finished, tmp_path_factory.mktemp("sampled"), every=3600)
    file = Path(command[-1])
    order = json.loads(file.read_text())
    order["job"]["params"] |= {"graph": "sampled", "neighbour_fanout": 3, "history_fanout": 4}
    order["job"]["shard_tables"] = request.param
    file.write_text(json.dumps(order), encoding="utf-8")
    finish(command)
    return PretrainJob.from_json(order["job"])


def test_two_processes_train_on_samples_as_one_does(sampled):
    graph = load_graph(sampled.graph, sampled.sources, sampled.targets)
    want = pretrain(graph, sampled.params)
    made = pq.read_table(sampled.out / "curve.parquet").to_pydict()
    assert made["loss"] == pytest.approx([r.loss for r in want.curve], rel=1e-4)
    assert made["ndcg"] == pytest.approx([r.ndcg for r in want.curve], abs=1e-3)
    users = load_file(sampled.out / "encoding.safetensors")["users"].numpy()
    assert np.linalg.norm(users - want.encoding.users) < 1e-2 * np.linalg.norm(want.encoding.users)


def test_what_two_processes_saved_one_goes_on_with(sampled, tmp_path):
    alone = replace(sampled, out=tmp_path / "out", shard_tables=False)
    run_pretraining(alone)
    for name in ("model.safetensors", "encoding.safetensors", "curve.parquet"):
        assert (alone.out / name).read_bytes() == (sampled.out / name).read_bytes(), name
