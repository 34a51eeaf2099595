"""What a GPU is worth: aggregation against copy bandwidth, training steps against two CPU cores.

    python -m benchmarks.gpu [--device cuda] [--interactions 10000000] [--steps 50] [--json]
        [--batch-sizes 2048 32768 131072] [--epochs N]

On the device (CUDA where there is one, else CPU): how many bytes a second the aggregation kernel moves, over
what a plain copy moves; and how many training pairs a second steps on a generated platform go through, at
each batch size, over the same steps on two CPU threads. Both ways draw the same batches, and the losses of
the first steps are compared. With `--epochs`, also the seconds of a whole pre-training of so many epochs at
the last batch size. Each figure is printed as soon as it is there.

`HIER_TEST_DEVICE=cuda pytest tests/model tests/train` runs the tests on the device.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hier_dag.graph.csr import IntArray, from_coo
from hier_dag.graph.knowledge_graph import TRAIN, VALIDATION, Interactions, KnowledgeGraph
from hier_dag.model.adjacency import Adjacency
from hier_dag.model.message_passing import spmm
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import SourceView, source_view
from hier_dag.train.batches import SourcePairs
from hier_dag.train.params import PretrainParams
from hier_dag.train.pretrain import pretrain
from hier_dag.train.seeding import seeded
from hier_dag.train.update import Updater

DIM = 64
CPU_THREADS = 2
_WARM_UP = 3
_LOSSES = 3  # steps whose losses are compared
_CPU_PAIRS = 100_000  # that the CPU is timed on, or two steps
_FLOAT, _INDEX = 4, 8  # bytes
# Name, rows, columns, entries, and the power that entries are skewed by: the k-th row of n gets a share of
# about (k / n)^(1 / power) up to it.
_MATRICES = (
    ("even rows", 200_000, 200_000, 5_000_000, 1),
    ("even rows, larger than caches", 1_000_000, 1_000_000, 20_000_000, 1),
    ("popular rows", 20_000, 400_000, 10_000_000, 3),
)


def generated(
    interactions: int, seed: int = 0, *, items: int | None = None, entities: int = 2000
) -> KnowledgeGraph:
    """A platform of two sources and a target with about so many training pairs, popular items and all.

    25 pairs a user and, if not told how many items, 500 an item; three entities an item.
    """
    rng = np.random.default_rng(seed)
    users, items = max(50, interactions // 25), items or max(50, interactions // 500)
    domains = {"a": 0.6, "b": 0.4, "t": 0.01}
    logs = {d: _log(rng, int(interactions * share), users, items) for d, share in domains.items()}
    none = np.zeros(0, np.int64)
    link = np.unique(np.repeat(np.arange(items), 3) * entities + rng.integers(0, entities, 3 * items))
    return KnowledgeGraph(
        sources=("a", "b"),
        targets=("t",),
        user_ids=_ids(users),
        item_ids=_ids(items),
        entity_ids=_ids(entities),
        entity_names=_ids(entities),
        interacts={d: from_coo(*x.part(TRAIN), users, items) for d, x in logs.items()},
        has_entity=from_coo(link // entities, link % entities, items, entities),
        entity_entity=from_coo(none, none, entities, entities),
        social=from_coo(none, none, users, users),
        catalogue={d: np.arange(items) for d in domains},
        audience={d: np.arange(users) for d in domains},
        interactions=logs,
    )


def _ids(n: int) -> NDArray[np.object_]:
    return np.array([str(number) for number in range(n)], dtype=object)


def _log(rng: np.random.Generator, n: int, users: int, items: int) -> Interactions:
    """Distinct pairs, users evenly and items by a power law; one in fifty is held out for validation."""
    user, item = rng.integers(0, users, n), (items * rng.random(n) ** 3).astype(np.int64)
    code: IntArray = np.unique(user * items + item)
    split = np.where(rng.random(len(code)) < 0.02, VALIDATION, TRAIN).astype(np.int8)
    n = len(code)
    ones = np.ones(n, np.float32)
    return Interactions(code // items, code % items, split, np.ones(n, np.int32), rng.random(n), ones)


def seconds(work: Callable[[], Any], device: torch.device, repeats: int = 5) -> float:
    """Median wall seconds of some work, once it is warm and with nothing left running on the device."""
    took = []
    for turn in range(repeats + 1):
        _wait(device)
        began = time.perf_counter()
        work()
        _wait(device)
        if turn:
            took.append(time.perf_counter() - began)
    return float(np.median(took))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def aggregation(device: torch.device, rows: int, cols: int, entries: int, power: int) -> float:
    """Bytes that a sum over rows moves a second, as if every entry read its vector from memory.

    Caches can make it more than a copy's.

    Args:
        device: where it runs.
        rows: of a matrix whose entries' columns are drawn evenly.
        cols: of the matrix.
        entries: that are drawn.
        power: of the law that rows are drawn by, in random order; 1 draws them evenly.
    """
    rng = np.random.default_rng(0)
    row = rng.permutation(rows)[(rows * rng.random(entries) ** power).astype(np.int64)]
    matrix = Adjacency.sums(from_coo(row, rng.integers(0, cols, entries), rows, cols)).to(device)
    x = torch.randn(cols, DIM, device=device)
    moved = matrix.nnz * (DIM * _FLOAT + _INDEX) + rows * (DIM * _FLOAT + _INDEX)
    return moved / seconds(lambda: spmm(matrix, x), device)


def _copied(device: torch.device) -> float:
    """Bytes read and written a second by a plain copy."""
    block = torch.empty(1 << (28 if device.type == "cuda" else 26), device=device)
    into = torch.empty_like(block)
    return 2 * block.numel() * _FLOAT / seconds(lambda: into.copy_(block), device)


def training(
    graph: KnowledgeGraph, view: SourceView, device: torch.device, batch_size: int, steps: int
) -> dict[str, Any]:
    """Pairs a second of training steps after a few to warm up, and the losses of the first ones."""
    params = replace(PretrainParams(), model="recommended", threads=CPU_THREADS, batch_size=batch_size)
    with seeded(params.seed, CPU_THREADS, device):
        model = build_model(view, params).to(device)
        pairs = SourcePairs(graph, batch_size, params.negatives, device)
        update, order, losses = Updater(model, params, pairs.steps), pairs.order(), []
        began = time.perf_counter()
        for step in range(1, _WARM_UP + steps + 1):
            if step == _WARM_UP + 1:
                _wait(device)
                began = time.perf_counter()
            losses.append(update(pairs.batch(order, step), 1, step)["loss"])
        _wait(device)
        took = time.perf_counter() - began
    return {"pairs_per_s": steps * batch_size / took, "losses": losses[:_LOSSES], "pairs": len(pairs)}


def measure(
    device: torch.device, interactions: int, steps: int, batch_sizes: Sequence[int], epochs: int = 0
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything, on the device and on the CPU: a name and its figures as soon as they are there."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    yield "device", {"name": name, "copied_bytes_per_s": (copied := _copied(device))}
    for matrix in _MATRICES:
        moved = aggregation(device, *matrix[1:])
        yield f"aggregation, {matrix[0]}", {"bytes_per_s": moved, "share_of_copy": moved / copied}
    graph = generated(interactions)
    view = source_view(graph)
    for size in batch_sizes:
        on_device = on_cpu = training(graph, view, device, size, steps)
        if device.type != "cpu":
            timed = max(2, min(steps, _CPU_PAIRS // size))
            on_cpu = training(graph, view, torch.device("cpu"), size, timed)
        yield (
            f"steps of {size} pairs",
            {
                "pairs": on_device["pairs"],
                "pairs_per_s": on_device["pairs_per_s"],
                "cpu_pairs_per_s": on_cpu["pairs_per_s"],
                "speed_up": on_device["pairs_per_s"] / on_cpu["pairs_per_s"],
                "losses": on_device["losses"],
                "cpu_losses": on_cpu["losses"],
            },
        )
    if epochs:
        params = replace(
            PretrainParams(), model="recommended", threads=CPU_THREADS, batch_size=batch_sizes[-1],
            epochs=epochs, patience=epochs, device=device.type,
        )  # fmt: skip
        began = time.perf_counter()
        curve = pretrain(graph, params).curve
        yield (
            "whole pre-training",
            {
                "seconds": time.perf_counter() - began,
                "epoch_seconds": [record.seconds for record in curve],
                "losses": [record.loss for record in curve],
            },
        )


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--interactions", type=int, default=10_000_000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[2048, 32_768, 131_072])
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print each figure as a line of JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(CPU_THREADS)
    for name, found in measure(
        torch.device(arguments.device),
        arguments.interactions,
        arguments.steps,
        arguments.batch_sizes,
        arguments.epochs,
    ):
        print(json.dumps({name: found}) if arguments.json else f"{name}: {_told(found)}", flush=True)


def _told(found: dict[str, Any]) -> str:
    return ", ".join(f"{name} {f'{x:,.4g}' if isinstance(x, float) else x}" for name, x in found.items())


if __name__ == "__main__":
    main()
