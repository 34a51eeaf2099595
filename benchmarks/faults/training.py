"""Training that is killed, cut and poisoned: rows 3, 4 and 13 of the faults.

    python benchmarks/faults/training.py [--kills 200] [--cuts 10] [--poisoned 100] [--json]

Kills: a process that saves after every step is killed (SIGKILL) at a random time, again and again, each
successor going on from the newest checkpoint. Cuts: training stopped at a random step and resumed, each
against the same training without a stop. Poisoned: NaN enters the loss of a random step, once (a passing
fault, which is rolled back) or for good (which ends the training).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import os
import random
import signal
import stat
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from benchmarks.faults.broken_graphs import sound_graph
from hier_dag.errors import Interrupted, NotFinite
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.train.checkpoint import Checkpoints, Snapshot
from hier_dag.train.params import PretrainParams
from hier_dag.train.pretrain import pretrain
from hier_dag.train.pretrained import Pretrained
from hier_dag.train.update import Updater

KEY = "key"
PARAMS = PretrainParams(
    dim=32, intents=8, exemplars=16, interaction_dim=16, profile_dim=16, epochs=8, patience=8, batch_size=256,
    negatives=64, rehearsal_pairs=100, device="cpu", threads=1,
)  # fmt: skip


def graph_to_train_on() -> KnowledgeGraph:
    """One source of 5,600 training pairs: 22 steps an epoch."""
    return sound_graph(0, users=600, items=200, entities=60, interactions=8000, links=400, friends=2000)


def difference(one: Pretrained, other: Pretrained) -> float:
    """Largest absolute difference of any weight, vector or figure of the curve."""
    state = other.model.state_dict()
    arrays = [(t.numpy(), state[name].numpy()) for name, t in one.model.state_dict().items()]
    arrays += [
        (getattr(one.encoding, n), getattr(other.encoding, n)) for n in ("users", "items", "item_bias")
    ]
    arrays.append(tuple(np.array([_figures(r) for r in p.curve]) for p in (one, other)))
    return max(float(np.abs(a.astype(np.float64) - b).max()) if a.size else 0.0 for a, b in arrays)


def _figures(record: Any) -> list[float]:
    return [record.loss, *record.terms.values(), record.ndcg, record.hr, record.open_paths]


def after(steps: int) -> Callable[[], bool]:
    """Says stop when it has been asked so many times."""
    left = iter([False] * (steps - 1) + [True])
    return lambda: next(left, False)


def cut(graph: KnowledgeGraph, whole: Pretrained, cuts: int, rng: random.Random) -> dict[str, Any]:
    """Stops at random steps, mid-epoch ones among them, resumes, and compares with the whole training."""
    steps = len(whole.curve) * -(-graph.interacts["shop"].nnz // PARAMS.batch_size)
    at, worst = sorted(rng.sample(range(1, steps), cuts)), 0.0
    for step in at:
        with tempfile.TemporaryDirectory() as folder:
            checkpoints = Checkpoints(Path(folder, "t"), KEY, every=3600)
            try:
                pretrain(graph, PARAMS, checkpoints=checkpoints, stop=after(step))
            except Interrupted:
                checkpoints.close()
            resumed = Checkpoints(Path(folder, "t"), KEY, every=3600)
            worst = max(worst, difference(pretrain(graph, PARAMS, checkpoints=resumed), whole))
    return {"cuts": len(at), "of_steps": steps, "at": at, "max_abs_difference": worst}


class _Told(Checkpoints):
    """Tells after each save which step is safe."""

    pipe: Connection

    def save(self, number: int, snapshot: Snapshot, *, best: bool = False) -> None:
        super().save(number, snapshot, best=best)
        self.pipe.send(number)


def _child(folder: Path, pipe: Connection) -> None:
    checkpoints = _Told(folder, KEY, every=0)
    checkpoints.pipe = pipe
    pretrain(graph_to_train_on(), PARAMS, checkpoints=checkpoints)
    pipe.send("done")


def kill(whole: Pretrained, kills: int, rng: random.Random) -> dict[str, Any]:
    """Kills at random times until there were so many kills; a training that ends is begun anew."""
    context = mp.get_context("spawn")
    done = restored = finished = equal = writable = 0
    lost = 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "t0")
        while done < kills:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_child, args=(home, theirs))
            process.start()
            theirs.close()
            last, ended = _watch(ours, rng)
            if ended:
                process.join()
                finished += 1
                checkpoints = Checkpoints(home, KEY)
                equal += (
                    difference(pretrain(graph_to_train_on(), PARAMS, checkpoints=checkpoints), whole) == 0
                )
                home = Path(folder, f"t{finished}")
                continue
            os.kill(int(process.pid or 0), signal.SIGKILL)
            process.join()
            done += 1
            last = _drain(ours, last)
            writable += sum(_writable(p) for p in home.rglob("*"))
            checkpoints = Checkpoints(home, KEY)
            found = checkpoints.latest()
            checkpoints.close()
            if found is not None:
                at = _steps(found)
                restored += at >= last
                lost = max(lost, last - at)
    return {
        "kills": done, "newest_valid_one_loaded": restored, "steps_lost_at_most": max(lost, 0),
        "trainings_finished": finished, "finished_equal_to_the_bit": equal, "writable_by_others": writable,
    }  # fmt: skip


def _watch(pipe: Connection, rng: random.Random) -> tuple[int, bool]:
    """Waits for the first save and then for a random time; the last step told, and whether it ended."""
    last = pipe.recv()
    deadline = time.monotonic() + rng.uniform(0, 0.6)
    while last != "done" and (left := deadline - time.monotonic()) > 0:
        if pipe.poll(left):
            last = pipe.recv()
    return (0, True) if last == "done" else (int(last), False)


def _drain(pipe: Connection, last: int) -> int:
    while pipe.poll():
        try:
            said = pipe.recv()
        except EOFError:
            break
        last = last if said == "done" else said
    return last


def _steps(snapshot: Snapshot) -> int:
    place = snapshot.state["place"]
    per_epoch = -(-graph_to_train_on().interacts["shop"].nnz // PARAMS.batch_size)
    return int((place["epoch"] - 1) * per_epoch + place["step"])


def _writable(path: Path) -> bool:
    return bool(path.lstat().st_mode & stat.S_IWOTH)


def poison(graph: KnowledgeGraph, runs: int, rng: random.Random) -> dict[str, Any]:
    """NaN at a random step: half of the runs once, half of them for good."""
    params = replace(PARAMS, epochs=2)
    once = pretrain(graph, params)
    steps = 2 * -(-graph.interacts["shop"].nnz // PARAMS.batch_size)
    caught = equal = named = clean = 0
    for run in range(runs):
        at, lasting = rng.randrange(steps), run % 2 == 1
        seen: list[int] = []
        with (
            tempfile.TemporaryDirectory() as folder,
            mock.patch.object(Updater, "__call__", _poisoned(at, lasting, seen)),
        ):
            checkpoints = Checkpoints(Path(folder, "t"), KEY, every=0)
            try:
                trained = pretrain(graph, params, checkpoints=checkpoints)
                equal += difference(trained, once) == 0
            except NotFinite as error:
                named += lasting and error.detail["step"] == at % (steps // 2) + 1
            caught += bool(seen) and set(seen) == {at}
            left = checkpoints.latest()
            clean += left is None or all(
                bool(torch.isfinite(t).all()) for t in left.tensors.values() if t.is_floating_point()
            )
            checkpoints.close()
    return {
        "runs": runs, "caught_within_the_step": caught, "rolled_back_to_equal_bits": equal,
        "ended_naming_the_step": named, "checkpoints_all_finite": clean,
    }  # fmt: skip


def _poisoned(at: int, lasting: bool, seen: list[int]) -> Callable[..., dict[str, float]]:
    """An update whose loss is NaN at one step; notes the steps at which one was refused."""
    real = Updater.__call__

    def update(self: Updater, batch: Any, epoch: int, step: int) -> dict[str, float]:
        number = self.schedule.last_epoch
        if number != at or (seen and not lasting):
            return real(self, batch, epoch, step)
        losses = self.model.losses
        self.model.losses = lambda *b: {n: t * torch.nan for n, t in losses(*b).items()}  # type: ignore[method-assign]
        try:
            return real(self, batch, epoch, step)
        except NotFinite:
            seen.append(number)
            raise
        finally:
            self.model.losses = losses  # type: ignore[method-assign]

    return update


def main() -> None:
    """Prints the three tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--cuts", type=int, default=10)
    parser.add_argument("--poisoned", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    rng, graph = random.Random(arguments.seed), graph_to_train_on()
    whole = pretrain(graph, PARAMS)
    found = {
        "cut and resumed": cut(graph, whole, arguments.cuts, rng),
        "poisoned": poison(graph, arguments.poisoned, rng),
        "killed": kill(whole, arguments.kills, rng),
    }
    if arguments.json:
        print(json.dumps(found, indent=1))
        return
    for title, figures in found.items():
        print(f"\n| {title} | |\n|---|---|")
        for name, value in figures.items():
            print(f"| {name.replace('_', ' ')} | {value} |")


if __name__ == "__main__":
    main()
