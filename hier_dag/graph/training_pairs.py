"""The leakage certificate of a model: the pairs that training used are edges, and no domain holds them out.

It is made from the graph's stored files, not from the graph in memory that training was given, so that what
went wrong in between shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from hier_dag.graph import files
from hier_dag.graph.certificate import CERTIFICATE, Certificate
from hier_dag.graph.csr import CSR, IntArray
from hier_dag.graph.knowledge_graph import TRAIN, Interactions
from hier_dag.graph.leakage import SHOWN, holders_of
from hier_dag.graph.pair_hashes import HASH, Pairs, digest_of_hashes, in_both, joined, shares


@dataclass(frozen=True)
class Used:
    """Pairs that a part of training used.

    Attributes:
        name: the domain, or what the pairs of several are called.
        domains: whose edges they must be.
        user: int64 [n] dense user number.
        item: int64 [n] dense item number.
    """

    name: str
    domains: tuple[str, ...]
    user: IntArray
    item: IntArray


def training_certificate(used: Iterable[Used], graph: Path) -> dict[str, Any]:
    """Proves that training used edges alone and nothing that is held out.

    Args:
        used: what training used.
        graph: folder of the graph's artifact.

    Returns:
        JSON-serialisable: by name, pairs and SHA-256 over their ascending hashes; in_held_out and not_edges,
        how many break the rules (0 each in a sound model); and a few of those by their ids.

    Raises:
        StoreError: when the graph has no certificate.
    """
    certificate = Certificate.read(graph)
    edges = files.load_edges(graph)
    parts: dict[str, dict[str, Any]] = {}
    found: list[dict[str, Any]] = []
    for one in used:
        pairs = certificate.nodes.of(one.user, one.item)
        held = held_out_at(pairs, certificate, graph)
        stray = strays(pairs, [edges[f"interacts:{d}"] for d in one.domains])
        parts[one.name] = {
            "pairs": len(pairs),
            "pairs_sha256": digest_of_hashes(pairs.ordered),
            "in_held_out": len(held),
            "not_edges": len(stray),
        }
        found += _shown(one, np.union1d(held, stray)[:SHOWN], graph)
    return {
        "hash": HASH,
        "held_out_sha256": digest_of_hashes(certificate.held_out),
        "used": parts,
        "in_held_out": sum(p["in_held_out"] for p in parts.values()),
        "not_edges": sum(p["not_edges"] for p in parts.values()),
        "sample": found[:SHOWN],
    }


REMEDY = (
    "pairs reached training that the graph's stored edges do not allow: a defect of the code, not of the "
    "data; report it, nothing was committed"
)


def holds(record: dict[str, Any]) -> bool:
    """Whether a certificate of training says that nothing leaked."""
    return not record["in_held_out"] and not record["not_edges"]


def write_training_certificate(record: dict[str, Any], folder: Path) -> None:
    """Writes it into the folder of a model; equal certificates give equal bytes."""
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / CERTIFICATE).write_text(text + "\n", encoding="utf-8")


def held_out_at(pairs: Pairs, certificate: Certificate, graph: Path) -> IntArray:
    """Positions of the pairs that a domain holds out, int64, ascending.

    Args:
        pairs: some pairs.
        certificate: of the graph.
        graph: folder of the graph, whose splits decide where a hash is among those held out.
    """
    if not shares(certificate.held_out, pairs.ordered):
        return np.zeros(0, np.int64)
    stored = _held_out(graph).values()
    return in_both(pairs, joined(certificate.nodes.of(h.user, h.item) for h in stored))


def strays(pairs: Pairs, edges: Sequence[CSR]) -> IntArray:
    """Positions of the pairs that are no edge of any of some relations, int64, ascending."""
    if len(edges) == 1 and len(pairs) == edges[0].nnz:
        (csr,) = edges
        if np.array_equal(pairs.item, csr.indices) and np.array_equal(pairs.user, csr.row_of_entry()):
            return np.zeros(0, np.int64)
    columns = 1 + max([csr.cols for csr in edges] + [int(pairs.item.max(initial=0))])
    known = [csr.row_of_entry() * columns + csr.indices for csr in edges]
    return np.flatnonzero(~np.isin(pairs.user * columns + pairs.item, np.concatenate(known)))


def _held_out(graph: Path) -> dict[str, Interactions]:
    """Every domain's pairs as they are stored, those of its training left out."""
    out = {}
    for file in sorted((graph / files.SPLITS).glob("*.parquet")):
        pairs = files.load_interactions(file)
        held = pairs.split != TRAIN
        out[file.stem] = Interactions(*(getattr(pairs, c)[held] for c in Interactions.__annotations__))
    return out


def _shown(one: Used, at: IntArray, graph: Path) -> list[dict[str, Any]]:
    """Some of the used pairs by their ids, with the splits that hold them out; none: it is no edge."""
    if not len(at):
        return []
    stored = _held_out(graph)
    users, items = (pq.read_table(graph / f).column(1) for f in (files.USERS, files.ITEMS))
    return [
        {
            "used_by": one.name,
            "user": users[int(one.user[n])].as_py(),
            "item": items[int(one.item[n])].as_py(),
            "held_out_by": holders_of(stored, int(one.user[n]), int(one.item[n])),
        }
        for n in at
    ]
