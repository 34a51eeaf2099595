"""How near the memory estimate of a training is to what it then takes.

    python -m benchmarks.memory [--json]

For each case a process of its own, with the allocator set as in the worker: the estimate before the first
step, and the most that the process held during some steps and one scoring of all items, beyond what it held
with the graph alone (VmHWM, Linux). Platforms are generated (`benchmarks/gpu.py`).
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu import generated
from hier_dag.graph import dgl_compat  # noqa: F401  (its libraries are not what a training takes)
from hier_dag.model.reach import Fanout
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.train.allocator import keep_what_steps_reuse
from hier_dag.train.batches import SourcePairs
from hier_dag.train.fit import Fit
from hier_dag.train.memory import estimate
from hier_dag.train.params import PretrainParams
from hier_dag.train.progress import Throttle
from hier_dag.train.seeding import seeded

_STEPS = 4
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Case:
    """A training whose memory is measured.

    Attributes:
        interactions, items, entities: of the generated platform.
        dim: d.
        batch: pairs a step.
        layers: of the encoder.
        model: formulation.
    """

    interactions: int
    items: int
    entities: int
    dim: int = 64
    batch: int = 2048
    layers: int = 2
    model: str = "recommended"


CASES = (
    Case(1_000_000, 2_000, 2_000),
    Case(1_000_000, 50_000, 100_000),
    Case(3_000_000, 60_000, 300_000),
    Case(1_000_000, 50_000, 100_000, dim=32, batch=8192),
    Case(2_000_000, 20_000, 20_000, dim=128, batch=4096, layers=3),
    Case(1_000_000, 50_000, 100_000, model="literal"),
)


def held(what: str) -> int:
    """VmRSS or VmHWM of this process, in bytes."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) << 10


def measured(case: Case, graph: str) -> dict[str, Any]:
    """The estimate of a case and what it then took, in this process."""
    platform = generated(case.interactions, items=case.items, entities=case.entities)
    params = replace(
        PretrainParams(), model=case.model, dim=case.dim, batch_size=case.batch, layers=case.layers, threads=2
    )
    view, cpu = source_view(platform), torch.device("cpu")
    keep_what_steps_reuse()
    # What making the platform left on the heap would be taken again without the process growing.
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with seeded(0, 2, cpu):
        before = held("VmRSS")
        model = build_model(view, params)
        pairs = SourcePairs(platform, params.batch_size, params.negatives, cpu)
        fanout = Fanout(params.neighbour_fanout, params.history_fanout) if graph == "sampled" else None
        need = estimate(model, pairs, fanout)
        if fanout is not None:
            model.sample(fanout)
        fit = Fit(model, platform, pairs, params, cpu, Throttle(None))
        order = pairs.order()
        _RESET.write_text("5")  # VmHWM starts anew
        for step in range(1, _STEPS + 1):
            fit.update(pairs.batch(order, step), 1, step)
        fit.update.optimizer.zero_grad()
        fit.validation.score(model)
    used = held("VmHWM") - before
    return asdict(case) | {"graph": graph, "estimate": need.total, "used": used, "ratio": need.total / used}


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--case", type=int, help="one case, in this process")
    parser.add_argument("--graph", choices=("full", "sampled"), default="full")
    arguments = parser.parse_args()
    if arguments.case is not None:
        print(json.dumps(measured(CASES[arguments.case], arguments.graph)))
        return
    head = f"{'interactions':>12} {'items':>7} {'entities':>8} {'d':>4} {'batch':>6} {'model':11} {'graph':7}"
    if not arguments.json:
        print(f"{head} estimate     used ratio", flush=True)
    found = []
    for number, case in enumerate(CASES):
        for graph in ("full",) if case.model == "literal" else ("full", "sampled"):
            command = [sys.executable, "-m", "benchmarks.memory", "--case", str(number), "--graph", graph]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found.append(json.loads(done.stdout.splitlines()[-1]))
            if not arguments.json:
                print(_row(found[-1]), flush=True)
    if arguments.json:
        print(json.dumps(found, indent=1))


def _row(f: dict[str, Any]) -> str:
    return (
        f"{f['interactions']:12,} {f['items']:7,} {f['entities']:8,} {f['dim']:4} {f['batch']:6,} "
        f"{f['model']:11} {f['graph']:7} "
        f"{f['estimate'] / 1e6:5.0f} MB {f['used'] / 1e6:5.0f} MB {f['ratio']:5.2f}"
    )


if __name__ == "__main__":
    main()
