"""Transfer as a job: from the folders of a graph and an encoder to a model's files, in whatever process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hier_dag.conservation import write_flows
from hier_dag.graph.files import load_graph
from hier_dag.graph.training_pairs import training_certificate, write_training_certificate
from hier_dag.train.encoding_files import load_encoding
from hier_dag.train.threads import threaded
from hier_dag.transfer.flows import transfer_flows
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.save import save_transfer
from hier_dag.transfer.transfer import Progress, transfer


@dataclass(frozen=True, kw_only=True)
class TransferJob:
    """What a worker needs to know to transfer to one target. JSON-serialisable by `as_json`.

    Attributes:
        graph: folder of the knowledge graph's artifact.
        encoder: folder of the encoder's artifact.
        sources: source domains, in declared order.
        targets: target domains.
        domain: the target.
        params: settings, seeds and hyper-parameters.
        out: folder that the model's files are written into.
        threads: CPU threads; 0 takes torch's own number, which OMP_NUM_THREADS and the cores decide.
    """

    graph: Path
    encoder: Path
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    domain: str
    params: TransferParams
    out: Path
    threads: int = 0

    def as_json(self) -> dict[str, Any]:
        """The job as a JSON-serialisable record."""
        return asdict(self) | {name: str(getattr(self, name)) for name in ("graph", "encoder", "out")}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TransferJob:
        """The inverse of `as_json`."""
        return cls(
            graph=Path(value["graph"]),
            encoder=Path(value["encoder"]),
            sources=tuple(value["sources"]),
            targets=tuple(value["targets"]),
            domain=value["domain"],
            params=TransferParams.from_json(value["params"]),
            out=Path(value["out"]),
            threads=value["threads"],
        )


def run_transfer(job: TransferJob, progress: Progress | None = None) -> dict[str, Any]:
    """Transfers, scores, and writes the model, its ledger and its leakage certificate.

    Args:
        job: what to do.
        progress: told before each setting.

    Returns:
        JSON-serialisable facts: `method` and `shots` of the published vectors; `users` and `items`, how many
        have one; `finite`, whether every vector is; `zero_vectors`, how many are all zero; `missing`, users
        of the audience and items of the catalogue without one; `made_with`, how many CPU threads;
        `certificate`, the leakage certificate.

    Raises:
        TrainingError: vectors or scores are not finite.
        StoreError: when the graph or the encoder cannot be read.
    """
    graph = load_graph(job.graph, job.sources, job.targets)
    with threaded(job.threads) as threads:
        result = transfer(graph, load_encoding(job.encoder), job.domain, job.params, progress)
    save_transfer(result, job.out)
    certificate = training_certificate([result.used], job.graph)
    write_training_certificate(certificate, job.out)
    write_flows(transfer_flows(graph, result), job.out)
    v = result.published
    wanted = len(graph.audience[job.domain]) + len(graph.catalogue[job.domain])
    return {
        "method": v.method,
        "shots": result.shots,
        "users": len(v.users),
        "items": len(v.items),
        "finite": bool(np.isfinite(v.user_vectors).all() and np.isfinite(v.item_vectors).all()),
        "zero_vectors": int((~v.user_vectors.any(axis=1)).sum() + (~v.item_vectors.any(axis=1)).sum()),
        "missing": wanted - len(v.users) - len(v.items),
        "made_with": {"threads": threads},
        "certificate": certificate,
    }
