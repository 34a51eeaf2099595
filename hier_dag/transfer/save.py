"""A transfer's files: report.parquet, vectors.safetensors, head.safetensors and method.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import save_file

from hier_dag.errors import StoreError
from hier_dag.graph.mapped import mapped_arrays
from hier_dag.transfer.vectors import DomainVectors

if TYPE_CHECKING:  # with it comes torch, which readers of the files can do without
    from hier_dag.transfer.transfer import Transferred

REPORT, VECTORS, HEAD, METHOD = "report.parquet", "vectors.safetensors", "head.safetensors", "method.json"
_ARRAYS = ("users", "user_vectors", "user_origin", "items", "item_vectors", "item_origin")


def save_transfer(result: Transferred, folder: Path) -> None:
    """Writes a transfer into a folder, which is made if need be. Same result, same bytes.

    `head.safetensors` holds delta, bias and the scalars; for zero-shot, which has no head, no tensor.
    Wall time is not written: it would change the bytes of equal results.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(result.records, folder / REPORT)
    arrays = {name: np.ascontiguousarray(getattr(result.published, name)) for name in _ARRAYS}
    save_file(arrays, folder / VECTORS)
    head = {}
    if result.head is not None:
        scalars = {name: np.array([value], dtype=np.float64) for name, value in result.scalars.items()}
        head = {"delta": result.head.delta, "bias": result.head.bias} | scalars
    save_file(head, folder / HEAD)
    method = {
        "domain": result.domain,
        "method": result.published.method,
        "shots": result.shots,
        "dim": int(result.published.item_vectors.shape[1]),
        "users": len(result.published.users),
        "items": len(result.published.items),
        "scalars": result.scalars,
    }
    (folder / METHOD).write_text(json.dumps(method, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def load_vectors(folder: Path) -> DomainVectors:
    """Reads back the vectors that `save_transfer` wrote, as read-only memory maps of the file.

    Raises:
        StoreError: a file is missing or unreadable.
    """
    try:
        arrays = mapped_arrays(folder / VECTORS)
        method = json.loads((folder / METHOD).read_text(encoding="utf-8"))["method"]
        return DomainVectors(**{name: arrays[name] for name in _ARRAYS}, method=method)
    except (OSError, SafetensorError, LookupError, ValueError, TypeError) as error:
        raise StoreError(
            f"the vectors of a transfer cannot be read: {error}",
            file=str(folder / VECTORS),
            fix="run the transfer stage of this domain again",
        ) from error
