"""What a GPU is worth: aggregation against copy bandwidth, training steps against two CPU cores.

    python benchmarks/gpu.py [--device cuda] [--interactions 10000000] [--steps 50] [--json]

On the device (CUDA where there is one, else CPU): how many bytes a second the aggregation kernel moves, over
what a plain copy moves; and how many training pairs a second steps on a generated platform go through, over
the same steps on two CPU threads. Both ways draw the same batches, and the losses of the first steps are
compared. `pytest tests/model tests/train` has the tests that also run on CUDA where there is a device.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from benchmarks.faults.broken_graphs import text
from hier_dag.graph.csr import IntArray, from_coo
from hier_dag.graph.knowledge_graph import TRAIN, VALIDATION, Interactions, KnowledgeGraph
from hier_dag.model.adjacency import Adjacency
from hier_dag.model.message_passing import spmm
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.train.batches import SourcePairs
from hier_dag.train.params import PretrainParams
from hier_dag.train.seeding import seeded
from hier_dag.train.update import Updater

DIM = 64
CPU_THREADS = 2
_WARM_UP = 3
_LOSSES = 3  # steps whose losses are compared
_FLOAT, _INDEX = 4, 8  # bytes


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
        user_ids=text(map(str, range(users))),
        item_ids=text(map(str, range(items))),
        entity_ids=text(map(str, range(entities))),
        entity_names=text(map(str, range(entities))),
        interacts={d: from_coo(*x.part(TRAIN), users, items) for d, x in logs.items()},
        has_entity=from_coo(link // entities, link % entities, items, entities),
        entity_entity=from_coo(none, none, entities, entities),
        social=from_coo(none, none, users, users),
        catalogue={d: np.arange(items) for d in domains},
        audience={d: np.arange(users) for d in domains},
        interactions=logs,
    )


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


def bandwidth(device: torch.device, nodes: int = 200_000, edges: int = 5_000_000) -> dict[str, float]:
    """Bytes a second of a copy and of the aggregation, each as what must be read and written at the least."""
    rng = np.random.default_rng(0)
    matrix = from_coo(rng.integers(0, nodes, edges), rng.integers(0, nodes, edges), nodes, nodes)
    adjacency = Adjacency.sums(matrix).to(device)
    x = torch.randn(nodes, DIM, device=device)
    block = torch.empty(1 << (28 if device.type == "cuda" else 26), device=device)
    into = torch.empty_like(block)
    copied = 2 * block.numel() * _FLOAT / seconds(lambda: into.copy_(block), device)
    moved = adjacency.nnz * (DIM * _FLOAT + _INDEX) + nodes * (DIM * _FLOAT + _INDEX)
    aggregated = moved / seconds(lambda: spmm(adjacency, x), device)
    return {"copy": copied, "aggregation": aggregated, "share": aggregated / copied}


def training(graph: KnowledgeGraph, device: torch.device, steps: int) -> dict[str, Any]:
    """Pairs a second of training steps after a few to warm up, and the losses of the first ones."""
    params = replace(PretrainParams(), model="recommended", threads=CPU_THREADS)
    with seeded(params.seed, CPU_THREADS, device):
        model = build_model(source_view(graph), params).to(device)
        pairs = SourcePairs(graph, params.batch_size, params.negatives, device)
        update, order, losses = Updater(model, params, pairs.steps), pairs.order(), []
        began = time.perf_counter()
        for step in range(1, _WARM_UP + steps + 1):
            if step == _WARM_UP + 1:
                _wait(device)
                began = time.perf_counter()
            losses.append(update(pairs.batch(order, step), 1, step)["loss"])
        _wait(device)
        took = time.perf_counter() - began
    return {"pairs_per_s": steps * params.batch_size / took, "losses": losses[:_LOSSES], "pairs": len(pairs)}


def measure(device: torch.device, interactions: int, steps: int) -> dict[str, Any]:
    """Everything, on the device and on the CPU."""
    graph = generated(interactions)
    on_device = training(graph, device, steps)
    on_cpu = training(graph, torch.device("cpu"), min(steps, 20)) if device.type != "cpu" else on_device
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "interactions": on_device["pairs"],
        "bytes_per_s": bandwidth(device),
        "pairs_per_s": on_device["pairs_per_s"],
        "cpu_pairs_per_s": on_cpu["pairs_per_s"],
        "speed_up": on_device["pairs_per_s"] / on_cpu["pairs_per_s"],
        "losses": on_device["losses"],
        "cpu_losses": on_cpu["losses"],
    }


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--interactions", type=int, default=10_000_000)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(CPU_THREADS)
    found = measure(torch.device(arguments.device), arguments.interactions, arguments.steps)
    if arguments.json:
        print(json.dumps(found, indent=1))
        return
    moved = found["bytes_per_s"]
    print(f"{found['device']}, {found['interactions']:,} training pairs")
    print(f"  aggregation {moved['aggregation'] / 1e9:.1f} GB/s of {moved['copy'] / 1e9:.1f} GB/s copied: "
          f"{moved['share']:.2f} (bound .6 on CUDA)")  # fmt: skip
    print(f"  training {found['pairs_per_s']:,.0f} pairs/s, two CPU threads {found['cpu_pairs_per_s']:,.0f}: "
          f"{found['speed_up']:.1f} x (bound 20 on CUDA)")  # fmt: skip
    print(f"  losses {found['losses']}; on CPU {found['cpu_losses']}")


if __name__ == "__main__":
    main()
