"""The leakage certificate's files: what was shown, the hashes of held-out pairs, the hashes of nodes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from hier_dag.errors import StoreError
from hier_dag.graph.pair_hashes import Hashes, NodeHashes

CERTIFICATE = "leakage.json"
HELD_OUT = "leakage/held_out.parquet"
NODES = "leakage/nodes.safetensors"


@dataclass(frozen=True)
class Certificate:
    """What is shown of a graph.

    Attributes:
        record: what `leakage.json` holds.
        held_out: uint64 [n], ascending and distinct hashes of the held-out pairs of all domains: who has only
            a model's training pairs can check them against it.
        nodes: hashes of users and items, from which those of pairs are mixed.
    """

    record: dict[str, Any]
    held_out: Hashes
    nodes: NodeHashes

    def write(self, folder: Path) -> None:
        """Writes it into a graph's folder; equal certificates give equal bytes."""
        (folder / NODES).parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.record, indent=1, sort_keys=True, ensure_ascii=False)
        (folder / CERTIFICATE).write_text(text + "\n", encoding="utf-8")
        # Hashes are as good as random: no codec makes them smaller.
        pq.write_table(
            pa.table({"hash": self.held_out}), folder / HELD_OUT, compression="none", use_dictionary=False
        )
        save_file({"users": self.nodes.users, "items": self.nodes.items}, folder / NODES)

    @classmethod
    def read(cls, folder: Path) -> Certificate:
        """Reads what `write` wrote.

        Raises:
            StoreError: when a file is missing or no such file, as in graphs of an earlier version.
        """
        try:
            record = json.loads((folder / CERTIFICATE).read_text(encoding="utf-8"))
            held_out = pq.read_table(folder / HELD_OUT)["hash"].to_numpy()
            nodes = load_file(folder / NODES)
            hashes = NodeHashes(nodes["users"], nodes["items"])
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise StoreError(
                f"the graph's leakage certificate cannot be read: {error}",
                file=str(folder),
                fix="materialise kg/graph again",
            ) from error
        return cls(record, np.asarray(held_out, dtype=np.uint64), hashes)
