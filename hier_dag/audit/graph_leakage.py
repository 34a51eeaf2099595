"""Proves a graph's leakage certificate again, from its ids, splits and edges alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from ibis.backends.duckdb import Backend
from pydantic import TypeAdapter, ValidationError

from hier_dag.audit.claim import FAILED, PROVEN, Claim
from hier_dag.config.splits import Split
from hier_dag.errors import ContractError, StoreError
from hier_dag.graph import files
from hier_dag.graph.certificate import HELD_OUT, NODES, Certificate
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.graph.leakage import certify
from hier_dag.graph.node_hashes import node_hashes
from hier_dag.graph.pair_hashes import NodeHashes
from hier_dag.graph.splits import global_cut
from hier_dag.store import Artifact

_SPLIT: TypeAdapter[Split] = TypeAdapter(Split)


@dataclass(frozen=True)
class OpenGraph:
    """A stored graph, read for an audit.

    Attributes:
        artifact: the artifact; its files match its manifest.
        graph: as it reads from the files.
        roles: source or target, by domain.
        splits: how each domain was split.
        cut: the platform's cut; None where no domain is split by time.
    """

    artifact: Artifact
    graph: KnowledgeGraph
    roles: dict[str, str]
    splits: dict[str, Split]
    cut: datetime | None

    @classmethod
    def read(cls, artifact: Artifact) -> OpenGraph:
        """Reads a graph's artifact.

        Raises:
            StoreError: when its manifest does not say how its domains were split.
        """
        params = artifact.manifest.params
        try:
            roles = {d: str(v["role"]) for d, v in params["domains"].items()}
            splits = {d: _SPLIT.validate_python(params["splits"][d]) for d in roles}
        except (KeyError, TypeError, AttributeError, ValidationError) as error:
            raise StoreError(
                f"the manifest of {artifact.digest[:12]} does not say how its domains were split",
                file=str(artifact.path),
            ) from error
        sources, targets = (tuple(d for d, r in roles.items() if r == role) for role in ("source", "target"))
        graph = files.load_graph(artifact.path, sources, targets)
        return cls(artifact, graph, roles, splits, global_cut(splits.values()))

    def claim(self, claim: str, wrong: str | None, told: str = "", domain: str | None = None) -> Claim:
        """A claim about it: failed where something is wrong."""
        outcome = PROVEN if wrong is None else FAILED
        artifact = self.artifact
        return Claim(artifact.manifest.kind, artifact.digest, claim, outcome, wrong or told, domain)


def prove_graph(opened: OpenGraph, con: Backend) -> Iterator[Claim]:
    """Every claim that the graph's own files prove or disprove.

    Args:
        opened: the graph.
        con: any engine connection: nothing of the build is needed.

    Raises:
        StoreError: when it has no certificate, as those of earlier versions.
    """
    stored = Certificate.read(opened.artifact.path)
    folder, graph = opened.artifact.path, opened.graph
    users, items = (con.read_parquet(str(folder / f)) for f in (files.USERS, files.ITEMS))
    nodes = node_hashes(users, items)
    yield opened.claim(
        "hashes are those of the ids",
        _other_hashes(stored.nodes, nodes),
        f"{len(nodes.users):,} users, {len(nodes.items):,} items",
    )
    first = {domain: files.first_times(folder, domain) for domain in graph.interactions}
    sound = "no edge is held out by any domain; no edge of a source began at the cut or later"
    try:
        made = certify(graph, nodes, first, opened.cut)
    except ContractError as error:
        where = f"{error.domain}: " if error.domain else ""
        yield opened.claim(sound, where + error.message, domain=error.domain)
        return
    record = made.record
    told = f"{record['edges']:,} edges, {record['held_out_pairs']:,} held-out pairs, {_cut(record['cut'])}"
    yield opened.claim(sound, None, told)
    yield opened.claim(
        "leakage.json says the same: counts and digests",
        _differences(stored.record, json.loads(json.dumps(record))),
        f"{len(record['domains'])} domains",
    )
    same = np.array_equal(stored.held_out, made.held_out)
    wrong = None if same else f"{HELD_OUT} holds other hashes than those of the held-out pairs in the splits"
    yield opened.claim(
        f"{HELD_OUT} holds the pairs that the splits hold out", wrong, f"{len(made.held_out):,}"
    )


def _other_hashes(stored: NodeHashes, nodes: NodeHashes) -> str | None:
    for kind in ("users", "items"):
        there, made = getattr(stored, kind), getattr(nodes, kind)
        if not np.array_equal(there, made):
            n = int((there != made).sum()) if len(there) == len(made) else abs(len(there) - len(made))
            return f"{NODES}: {n} of the hashes of {kind} are not those of their ids"
    return None


def _differences(stored: Any, made: dict[str, Any]) -> str | None:
    """Where two records differ, in words."""
    if not isinstance(stored, dict):
        return "leakage.json is no record"
    found = []
    for key in sorted({*stored, *made}):
        if isinstance(made.get(key), dict) and isinstance(stored.get(key), dict):
            inner = _differences(stored[key], made[key])
            found += [] if inner is None else [f"{key}: {inner}"]
        elif stored.get(key) != made.get(key):
            found.append(f"{key} is {made.get(key)}, not {stored.get(key)}")
    return "; ".join(found) or None


def _cut(cut: str | None) -> str:
    return "no cut in time" if cut is None else f"cut {cut}"
