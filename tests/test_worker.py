"""The worker: the same bytes as in process, in order when it is stopped, with words when it refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from hier_dag.errors import StoreError, error_of
from hier_dag.pipeline.stages import ENCODER, GRAPH, MODEL
from hier_dag.train.job import PretrainJob, Saving
from hier_dag.transfer.job import TransferJob
from hier_dag.worker import DONE, FINETUNE, PRETRAIN, REFUSED, STOPPED, work

MADE = ("model.safetensors", "encoding.safetensors", "curve.parquet", "leakage.json", "ledger.json")


@pytest.fixture
def order(platform, tmp_path):
    """Writes an order; gives the command that a launcher runs, and where the outcome will be."""

    def write(what, job):
        file, outcome = tmp_path / "job.json", tmp_path / "outcome.json"
        record = {"work": what, "job": job.as_json(), "outcome": str(outcome)}
        file.write_text(json.dumps(record), encoding="utf-8")
        return [sys.executable, "-m", "hier_dag.worker", str(file)], outcome

    return write


def pretraining(platform, out, **more):
    config = platform.config
    return PretrainJob(
        graph=platform.latest(GRAPH).path,
        sources=config.source_names,
        targets=config.target_names,
        params=config.stages.pretrain,
        out=out,
        **more,
    )


def transfer(platform, out, domain="grocery"):
    config = platform.config
    return TransferJob(
        graph=platform.latest(GRAPH).path,
        encoder=platform.latest(ENCODER).path,
        sources=config.source_names,
        targets=config.target_names,
        domain=domain,
        params=config.stages.transfer,
        out=out,
    )


def assert_same_files(made, artifact, names):
    for name in names:
        assert (made / name).read_bytes() == artifact.file(name).read_bytes(), name


def test_pretraining_in_a_worker_gives_the_artifacts_bytes(platform, order, tmp_path):
    command, outcome = order(PRETRAIN, pretraining(platform, tmp_path / "out"))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == DONE, done.stderr
    artifact = platform.latest(ENCODER)
    assert_same_files(tmp_path / "out", artifact, MADE)
    facts = json.loads(outcome.read_text())["facts"]
    assert facts["epochs"] == artifact.manifest.summary["epochs"]
    told = [json.loads(line)["progress"] for line in done.stdout.splitlines()]
    assert {step["work"] for step in told} == {"pretrain/encoder"}
    assert told[0]["text"].startswith("training needs about ")
    assert any("NDCG@10" in step["text"] for step in told)
    assert "plays the target" in told[-1]["text"]


def test_a_transfer_in_a_worker_gives_the_artifacts_bytes(platform, order, tmp_path):
    command, outcome = order(FINETUNE, transfer(platform, tmp_path / "out"))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == DONE, done.stderr
    artifact = platform.latest(MODEL, "grocery")
    assert_same_files(tmp_path / "out", artifact, ("vectors.safetensors", "report.parquet", "ledger.json"))
    assert json.loads(outcome.read_text())["facts"]["items"] == artifact.manifest.summary["items"]


def test_jobs_survive_the_way_to_another_process(platform, tmp_path):
    saving = Saving(folder=tmp_path / "saved", key="key", every=0.5, keep=3)
    shown = replace(saving, curves=tmp_path / "curves")
    trainings = [pretraining(platform, tmp_path, saving=s) for s in (None, saving, shown)]
    for job in (*trainings, transfer(platform, tmp_path)):
        assert type(job).from_json(json.loads(json.dumps(job.as_json()))) == job


def test_a_worker_that_is_told_to_stop_saves_and_its_successor_ends_the_same(platform, order, tmp_path):
    # Long enough that a signal meets it at work; the artifact's parameters are asked of the successor alone.
    saving = Saving(folder=tmp_path / "saved", key="key", every=0)
    job = pretraining(platform, tmp_path / "out", saving=saving)
    command, outcome = order(PRETRAIN, job)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: list(saving.folder.glob("step-*")) or process.poll() is not None)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == STOPPED, said
    assert "stopped as asked at epoch" in said
    assert error_of(json.loads(outcome.read_text())["error"]).code == "interrupted"
    assert not (tmp_path / "out" / "model.safetensors").exists()
    assert subprocess.run(command, capture_output=True).returncode == DONE
    assert_same_files(tmp_path / "out", platform.latest(ENCODER), MADE)


def test_a_worker_stops_when_the_one_that_started_it_is_killed(platform, order, tmp_path):
    saving = Saving(folder=tmp_path / "saved", key="key", every=0)
    job = pretraining(platform, tmp_path / "out", saving=saving)
    command, outcome = order(PRETRAIN, replace(job, params=replace(job.params, epochs=200, patience=200)))
    file = tmp_path / "job.json"
    parent = (
        "import json, os, subprocess, sys; file = sys.argv[1]; record = json.load(open(file));"
        "record['parent'] = os.getpid(); json.dump(record, open(file, 'w'));"
        "subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", parent, str(file), *command])
    wait_for(lambda: list(saving.folder.glob("step-*")))
    process.kill()
    process.wait()
    wait_for(outcome.is_file)
    assert json.loads(outcome.read_text())["error"]["code"] == "interrupted"


def wait_for(happened, seconds=60):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_refused_comes_back_as_the_error_it_was(platform, order, tmp_path):
    command, outcome = order(
        PRETRAIN, replace(pretraining(platform, tmp_path / "out"), graph=tmp_path / "no")
    )
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == REFUSED
    error = error_of(json.loads(outcome.read_text())["error"])
    assert isinstance(error, StoreError)
    assert str(error) in done.stderr


def test_what_nobody_foresaw_is_told_and_not_taken_for_a_kill(platform, order, tmp_path):
    (tmp_path / "out").write_text("a file where a folder should be")
    command, outcome = order(FINETUNE, transfer(platform, tmp_path / "out"))
    outcome.write_text('{"facts": {"of": "an earlier run"}}', encoding="utf-8")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == REFUSED
    error = error_of(json.loads(outcome.read_text())["error"])
    assert error.code == "crashed"
    assert "FileExistsError" in str(error)
    assert "Traceback" in done.stderr


def test_a_transfer_ends_at_once_when_it_is_told_to(platform, order, tmp_path):
    job = transfer(platform, tmp_path / "out")
    long = replace(job.params, seeds=tuple(range(1_000)))  # it must not be over before it is told to end
    command, outcome = order(FINETUNE, replace(job, params=long))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert b"progress" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM
    assert not outcome.exists()


def test_unknown_work_is_refused():
    with pytest.raises(Exception, match="does not know the work 'dance'"):
        work({"work": "dance", "job": {}}, lambda _: None)


BARE = """
import importlib.metadata as metadata, re, sys
others = ["threadpoolctl", "packaging", "pyyaml", "pandas"]  # dgl imports the last three without saying so
allowed, left = set(), ["torch", "dgl", "numpy", "scipy", "pyarrow", "safetensors", *others]
while left:
    name = re.sub(r"[-_.]+", "-", left.pop()).lower()
    if name in allowed:
        continue
    allowed.add(name)
    try:
        needed = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        continue
    left += [re.match(r"[\\w.-]+", r).group() for r in needed if "extra ==" not in r]
owners = metadata.packages_distributions()
class Bare:
    def find_spec(self, name, path=None, target=None):
        of = {re.sub(r"[-_.]+", "-", d).lower() for d in owners.get(name.split(".")[0], ())}
        if of and not of & allowed and "hier-dag" not in of:
            raise ImportError(f"{name} of {of} is not in a worker's environment")
sys.meta_path.insert(0, Bare())
import hier_dag.worker, hier_dag.train.job, hier_dag.transfer.job
from hier_dag.graph.dgl_compat import dgl
print(sorted(allowed))
"""


def test_it_needs_torch_dgl_and_what_they_need_alone():
    done = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, env={**os.environ})
    assert done.returncode == 0, done.stderr
    assert "dagster" not in done.stdout
