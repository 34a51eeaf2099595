"""What the training engine costs: epochs, full and sampled; the sampler against peers'; checkpoints.

    python -m benchmarks.training [--interactions 1000000] [--json]

Epochs: steps on two generated platforms (`benchmarks/gpu.py`), of few items and of many, on the full graph
and at three fanouts. Checkpoints: seconds to save one there and to open and resume it. Sampler: two layers
of neighbours around 20,000 nodes of a random graph, against DGL's and PyTorch Geometric's (where the extra
`bench` and its compiled half, pyg-lib or torch-sparse, are installed), and whether the same seed gives the
same sample again, in one process and in fresh ones. Whatever is compared is interleaved in one run; figures
are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu import generated
from benchmarks.samplers import THREADS, Draws, interleaved, sampling, show_samplers
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.model.reach import Fanout
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import SourceView, source_view
from hier_dag.train.batches import SourcePairs
from hier_dag.train.checkpoint import Checkpoints
from hier_dag.train.fit import Fit
from hier_dag.train.params import PretrainParams
from hier_dag.train.progress import Throttle
from hier_dag.train.seeding import seeded
from hier_dag.train.update import Updater

FANOUTS = (None, Fanout(4, 16), Fanout(8, 32), Fanout(16, 64))
INTERVAL = 60.0  # seconds between checkpoints, by default
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        interactions: of a generated platform.
        large: items and entities of the second platform; the first has an item for 500 interactions.
        steps: training steps of each way in a round.
        rounds: that medians are over.
    """

    interactions: int = 1_000_000
    large: tuple[int, int] = (100_000, 50_000)
    steps: int = 10
    rounds: int = 9


class Trainee:
    """A model in training, some steps at a time; the order of its pairs starts anew where it ends."""

    def __init__(
        self, graph: KnowledgeGraph, view: SourceView, params: PretrainParams, fanout: Fanout | None
    ) -> None:
        model = build_model(view, params)
        if fanout is not None:
            model.sample(fanout)
        self.pairs = SourcePairs(graph, params.batch_size, params.negatives, CPU)
        self.update = Updater(model, replace(params, epochs=10_000), self.pairs.steps)
        self.order, self.done = self.pairs.order(), 0

    def steps(self, n: int) -> None:
        """Trains n steps."""
        for _ in range(n):
            step = self.done % self.pairs.steps + 1
            self.update(self.pairs.batch(self.order, step), 1, step)
            self.done += 1


def epochs(graph: KnowledgeGraph, params: PretrainParams, sizes: Sizes) -> list[dict[str, Any]]:
    """Seconds of an epoch's steps, without its validation, and pairs a second, by fanout."""
    view = source_view(graph)
    ways = [Trainee(graph, view, params, fanout) for fanout in FANOUTS]
    took = interleaved(
        {n: lambda way=way: way.steps(sizes.steps) for n, way in enumerate(ways)}, sizes.rounds
    )
    pairs, steps = len(ways[0].pairs), ways[0].pairs.steps
    return [
        {
            "fanout": None if fanout is None else [fanout.neighbours, fanout.history],
            "epoch_s": took[n] / sizes.steps * steps,
            "pairs_per_s": pairs / (took[n] / sizes.steps * steps),
        }
        for n, fanout in enumerate(FANOUTS)
    ]


def checkpoints(graph: KnowledgeGraph, params: PretrainParams, epoch_s: float, rounds: int) -> dict[str, Any]:
    """Seconds to save a checkpoint in mid-epoch and to go on from it, by the training loop's own hands."""
    model = build_model(source_view(graph), params)
    pairs = SourcePairs(graph, params.batch_size, params.negatives, CPU)
    with tempfile.TemporaryDirectory() as folder:
        saved = Checkpoints(Path(folder, "t"), "key", every=3600)
        fit = Fit(model, graph, pairs, params, CPU, Throttle(None), saved)
        order = pairs.order()
        fit.update(pairs.batch(order, 1), 1, 1)  # moments are saved, too
        fit.place.step = 1
        took = interleaved({"save": fit._save, "resume": fit._resume}, rounds)
        newest = saved.newest()
        files = [] if newest is None else list(saved.folder.glob("step-*/*"))
        size = sum(file.stat().st_size for file in files) / 1e6
        saved.close()
    saves = 1 + int(epoch_s / INTERVAL)  # the last of them at the epoch's end
    return {
        "mb": size,
        "save_s": took["save"],
        "resume_s": took["resume"],
        "save_s_per_mb": took["save"] / size,
        "resume_s_per_mb": took["resume"] / size,
        "saves_an_epoch": saves,
        "share_of_an_epoch": saves * took["save"] / epoch_s,
    }


def measure(sizes: Sizes, draws: Draws) -> dict[str, Any]:
    """Everything."""
    load, (items, entities) = os.getloadavg()[0], sizes.large
    graphs = (generated(sizes.interactions), generated(sizes.interactions, items=items, entities=entities))
    platforms = [training(graph, sizes) for graph in graphs]
    head = {"sizes": asdict(sizes), "draws": asdict(draws), "threads": THREADS, "load": load}
    return {**head, "platforms": platforms, **sampling(draws)}


def training(graph: KnowledgeGraph, sizes: Sizes) -> dict[str, Any]:
    """Epochs and checkpoints on one platform."""
    params = replace(PretrainParams(), model="recommended", threads=THREADS, device="cpu")
    with seeded(params.seed, THREADS, CPU):
        trained = epochs(graph, params, sizes)
        kept = checkpoints(graph, params, trained[0]["epoch_s"], sizes.rounds)
    pairs = sum(graph.interacts[source].nnz for source in graph.sources)
    return {"pairs": pairs, "items": graph.n_items, "entities": graph.n_entities, "epochs": trained,
            "checkpoint": kept}  # fmt: skip


def show(found: dict[str, Any]) -> None:
    """Prints the figures as tables."""
    print(f"{found['threads']} threads, load {found['load']:.1f} before")
    for platform in found["platforms"]:
        _show_platform(platform)
    show_samplers(found)


def _show_platform(found: dict[str, Any]) -> None:
    print(f"{found['pairs']:,} training pairs, {found['items']:,} items, {found['entities']:,} entities")
    for way in found["epochs"]:
        drawn = way["fanout"]
        name = "sampled, {} neighbours, {} items".format(*drawn) if drawn else "full graph"
        print(f"  {name:36} {way['epoch_s']:8.1f} s an epoch {way['pairs_per_s']:9,.0f} pairs/s")
    kept = found["checkpoint"]
    named = f" a checkpoint of {kept['mb']:.1f} MB"
    for what in ("save", "resume"):
        print(f"  {what + named:36} {kept[f'{what}_s']:8.3f} s, "
              f"{1000 * kept[f'{what}_s_per_mb']:.1f} ms a MB")  # fmt: skip
    print(
        f"  {kept['saves_an_epoch']} saved an epoch on the full graph: {kept['share_of_an_epoch']:.2%} of it"
    )


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--interactions", type=int, default=Sizes.interactions)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    found = measure(Sizes(interactions=arguments.interactions), Draws())
    print(json.dumps(found, indent=1)) if arguments.json else show(found)


if __name__ == "__main__":
    main()
