"""Pre-training as a job: from a graph's folder to the encoder's files, in whatever process it runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hier_dag.conservation import write_flows
from hier_dag.graph.files import load_graph
from hier_dag.graph.training_pairs import holds, training_certificate, write_training_certificate
from hier_dag.train.checkpoint import Checkpoints
from hier_dag.train.encoder_files import save_encoder
from hier_dag.train.flows import training_flows
from hier_dag.train.memory import FULL, SAMPLED
from hier_dag.train.params import PretrainParams
from hier_dag.train.pretrain import assist, device_of, pretrain, threads_of
from hier_dag.train.pretrained import Pretrained
from hier_dag.train.progress import Progress
from hier_dag.train.ranks import ALONE, Ranks
from hier_dag.train.surroundings import HERE, Surroundings
from hier_dag.train.tensorboard import Curves


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Where and how often a training is saved.

    Attributes:
        folder: of the checkpoints of this training alone.
        key: names the training; what was made under another is not resumed.
        every: seconds between checkpoints.
        keep: how many of the newest stay.
        curves: folder of this training's curves for TensorBoard; None writes none.
    """

    folder: Path
    key: str
    every: float = 60.0
    keep: int = 2
    curves: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """It as a JSON-serialisable record."""
        curves = None if self.curves is None else str(self.curves)
        return asdict(self) | {"folder": str(self.folder), "curves": curves}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Saving:
        """The inverse of `as_json`."""
        curves = None if value["curves"] is None else Path(value["curves"])
        return cls(**value | {"folder": Path(value["folder"]), "curves": curves})


@dataclass(frozen=True, kw_only=True)
class PretrainJob:
    """What a worker needs to know to pre-train an encoder. JSON-serialisable by `as_json`.

    Attributes:
        graph: folder of the knowledge graph's artifact.
        sources: source domains, in declared order.
        targets: target domains.
        params: hyper-parameters.
        out: folder that the encoder's files are written into.
        saving: where checkpoints go; None saves none.
        shard_tables: whether ranks share the rows of the tables (`shared_tables.py`).
        surroundings: device, threads and kind of graph, where they are not to be as the parameters say.
    """

    graph: Path
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    params: PretrainParams
    out: Path
    saving: Saving | None = field(default=None)
    shard_tables: bool = False
    surroundings: Surroundings = HERE

    def as_json(self) -> dict[str, Any]:
        """The job as a JSON-serialisable record."""
        saving = None if self.saving is None else self.saving.as_json()
        return asdict(self) | {"graph": str(self.graph), "out": str(self.out), "saving": saving}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> PretrainJob:
        """The inverse of `as_json`."""
        saving = value["saving"]
        return cls(
            graph=Path(value["graph"]),
            sources=tuple(value["sources"]),
            targets=tuple(value["targets"]),
            params=PretrainParams(**value["params"]),
            out=Path(value["out"]),
            saving=None if saving is None else Saving.from_json(saving),
            shard_tables=value["shard_tables"],
            surroundings=Surroundings(**value["surroundings"]),
        )


def run_pretraining(
    job: PretrainJob,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    ranks: Ranks = ALONE,
) -> dict[str, Any] | None:
    """Pre-trains, and writes the encoder, its ledger and its leakage certificate.

    Args:
        job: what to do.
        progress: told how far it has come.
        stop: asked after every step whether to save and stop.
        ranks: the processes that do the job together; the first writes.

    Returns:
        None on every rank but the first; there JSON-serialisable facts: `epochs`, `best_epoch`, `loss`,
        `ndcg` (None without validation pairs) and `open_paths` of the best epoch; `finite`, whether every
        vector is; `arrays`, how many were looked at; `graph`, `full` or `sampled`; `monitors`, of the best
        epoch (`monitors.py`); `made_with`, the device, CPU threads of a process, and processes;
        `certificate`, the leakage certificate.

    Raises:
        TrainingError: as `pretrain` does.
        Busy: another process trains the same encoder.
        ConfigError: as `pretrain` does; also when curves are asked for and TensorBoard is not installed.
        StoreError: when the graph cannot be read.
    """
    saving, ranks = job.saving, replace(ranks, share_tables=job.shard_tables)
    checkpoints: Checkpoints | None = None
    curves: Curves | None = None
    with ExitStack() as opened:
        # Before the graph, which may take long to read: whoever waits for a training looks for its lock.
        if saving is not None:
            checkpoints = Checkpoints(
                saving.folder, saving.key, every=saving.every, keep=saving.keep, reads_only=not ranks.first
            )
            opened.enter_context(closing(checkpoints))
            if saving.curves is not None and ranks.first:
                curves = opened.enter_context(closing(Curves(saving.curves)))
        graph = load_graph(job.graph, job.sources, job.targets)
        if not ranks.first:
            assist(
                graph, job.params, ranks, checkpoints=checkpoints, stop=stop, surroundings=job.surroundings
            )
            return None
        pretrained = pretrain(
            graph,
            job.params,
            progress,
            checkpoints=checkpoints,
            stop=stop,
            ranks=ranks,
            curves=curves,
            surroundings=job.surroundings,
        )
    save_encoder(pretrained, job.out)
    certificate = training_certificate(pretrained.used, job.graph)
    write_training_certificate(certificate, job.out)
    if holds(certificate):  # else the check names the pairs, which a flow that does not balance cannot
        write_flows(training_flows(graph, pretrained), job.out)
    made_with = {
        "device": device_of(job.params, job.surroundings).type,
        "threads": threads_of(job.params, job.surroundings, ranks),
        "processes": ranks.shard.world,
    }
    return _facts(pretrained) | {"made_with": made_with, "certificate": certificate}


def _facts(pretrained: Pretrained) -> dict[str, Any]:
    best = next(e for e in pretrained.curve if e.epoch == pretrained.best_epoch)
    encoding = pretrained.encoding
    arrays = (encoding.users, encoding.items, encoding.item_bias)
    return {
        "epochs": len(pretrained.curve),
        "best_epoch": pretrained.best_epoch,
        "loss": best.loss,
        "ndcg": best.ndcg,
        "open_paths": best.open_paths,
        "monitors": best.monitors,
        "finite": all(bool(np.isfinite(a).all()) for a in arrays),
        "arrays": len(arrays),
        "graph": FULL if pretrained.model.fanout is None else SAMPLED,
    }
