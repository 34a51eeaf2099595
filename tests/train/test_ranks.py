"""Ranks that share each batch train as one process does."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from hier_dag.errors import error_of
from hier_dag.model.formulation import WHOLE, Shard
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.pipeline.stages import ENCODER, GRAPH
from hier_dag.train.batches import SourcePairs
from hier_dag.train.job import PretrainJob, Saving
from hier_dag.train.update import weighted
from hier_dag.worker import DONE, REFUSED


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
        drawn = SourcePairs(case.graph, pairs, params.negatives, torch.device("cpu"))
        batch = drawn.batch(drawn.order(), 1)
        state, sums = torch.get_rng_state(), {}
        for shard in shards:
            torch.set_rng_state(state)
            terms = model.losses(batch, shard)
            weighted(terms, params).backward()
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + term.item()
        return sums, {name: p.grad for name, p in model.named_parameters()}

    return of


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("pairs", [128, 2, 1])
@pytest.mark.parametrize(
    "changes",
    [{"model": "recommended"}, {"model": "recommended", "rank_loss": "bpr"}, {"model": "literal"},
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


@pytest.fixture
def ranked(platform, tmp_path):
    """Writes an order for several ranks; gives the command, the outcome's file and the job."""

    def write(processes, name="out"):
        config = platform.config
        job = PretrainJob(
            graph=platform.latest(GRAPH).path,
            sources=config.source_names,
            targets=config.target_names,
            params=config.stages.pretrain,
            out=tmp_path / name,
            saving=Saving(folder=tmp_path / f"{name} saved", key="key", every=0),
        )
        file, outcome = tmp_path / f"{name}.json", tmp_path / f"{name} outcome.json"
        order = {"work": "pretrain", "job": job.as_json(), "outcome": str(outcome), "processes": processes}
        file.write_text(json.dumps(order), encoding="utf-8")
        return [sys.executable, "-m", "hier_dag.worker", str(file)], outcome, job

    return write


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


def test_two_processes_train_as_one_does(platform, ranked):
    command, outcome, job = ranked(2)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == DONE, done.stderr
    artifact = platform.latest(ENCODER)
    assert_close(job, artifact)
    assert json.loads(outcome.read_text())["facts"]["epochs"] == artifact.manifest.summary["epochs"]
    # One of them told how far it came.
    told = [json.loads(line)["progress"]["done"] for line in done.stdout.splitlines()]
    assert told == sorted(told)
    assert told.count(told[-1]) <= 2  # the last step, and the end of its epoch


def test_a_killed_rank_fails_the_run_by_name_and_the_next_run_goes_on(platform, ranked):
    command, outcome, job = ranked(2)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while not list(job.saving.folder.glob("step-*")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    ranks = {c.environ().get("RANK"): c for c in psutil.Process(process.pid).children()}
    os.kill(ranks["1"].pid, signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == REFUSED, said
    error = error_of(json.loads(outcome.read_text())["error"])
    assert error.code == "rank_lost"
    assert "rank 1 of 2 was killed (SIGKILL)" in str(error)
    assert "goes on from the last checkpoint" in str(error)
    steps = sorted(p.name for p in job.saving.folder.glob("step-*"))
    assert subprocess.run(command, capture_output=True).returncode == DONE
    assert sorted(p.name for p in job.saving.folder.glob("step-*"))[-1] > steps[-1]
    assert_close(job, platform.latest(ENCODER))
