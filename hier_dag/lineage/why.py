"""Walks one published vector back: published set, model, encoder, graph, events, raw files and rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from hier_dag.errors import StoreError, UsageError
from hier_dag.pipeline.stages import EVENTS
from hier_dag.publish.files import ITEMS, USERS
from hier_dag.publish.live import Live
from hier_dag.registry import Registry
from hier_dag.store import Artifact, ArtifactStore

_ROWS_SHOWN = 20


@dataclass(frozen=True)
class Why:
    """Where one vector comes from.

    Attributes:
        domain: target domain.
        id: original id.
        role: `user` or `item`.
        version: live version.
        origin: trained, kg_inferred or fallback.
        norm: Euclidean norm of the vector.
        artifacts: from the published set back to events and links: kind, partition, digest, role in its
            child, run, time, code, environment, parameters, seeds, checks.
        raw: raw files whose rows carry the id: domain, file, sha256, rows (count) and the first row numbers.
    """

    domain: str
    id: str
    role: str
    version: int
    origin: str
    norm: float
    artifacts: list[dict[str, Any]]
    raw: list[dict[str, Any]]


def why(store: ArtifactStore, registry: Registry, live: Live, wanted: str) -> Why:
    """Explains the live vector of a user or item.

    Args:
        store: artifact store.
        registry: registry.
        live: the domain's live alias.
        wanted: original id of a user or an item.

    Raises:
        UsageError: when the set holds no such id.
        StoreError: when an artifact on the way is missing or damaged.
    """
    published = store.open("publish/embeddings", live.digest)
    role, origin, norm = _vector(published, live, wanted)
    artifacts = _ancestors(registry, live.digest)
    return Why(
        domain=live.domain,
        id=wanted,
        role=role,
        version=live.version,
        origin=origin,
        norm=norm,
        artifacts=artifacts,
        raw=_raw_rows(store, [a for a in artifacts if a["kind"] == EVENTS], f"{role}_id", wanted),
    )


def _vector(published: Artifact, live: Live, wanted: str) -> tuple[str, str, float]:
    for role, file in (("user", USERS), ("item", ITEMS)):
        key = f"{role}_id"
        table = pq.read_table(
            published.file(file), columns=[key, "vector", "origin"], filters=[(key, "==", wanted)]
        )
        if table.num_rows:
            vector = np.asarray(table["vector"][0].as_py(), dtype=np.float32)
            return role, str(table["origin"][0]), float(np.linalg.norm(vector))
    raise UsageError(
        f"{wanted!r} is neither a user nor an item of the live set (version {live.version}).",
        domain=live.domain,
        fix="check the id's spelling, letter case and leading zeros",
    )


def _ancestors(registry: Registry, digest: str) -> list[dict[str, Any]]:
    """The artifact and everything above it, each once, nearest first."""
    out: list[dict[str, Any]] = []
    queue: list[tuple[str, str]] = [("live", digest)]
    seen: set[str] = set()
    while queue:
        role, current = queue.pop(0)
        if current in seen:
            continue
        seen.add(current)
        row = registry.artifact(current)
        if row is None:
            raise StoreError(
                f"the registry does not know artifact {current[:12]}",
                fix="run: hier run (it records it again)",
            )
        parents = registry.parents(current)
        out.append(
            {
                "kind": row.kind,
                "partition": row.partition,
                "role": role,
                "digest": row.digest,
                "run_id": row.run_id,
                "created_at": row.created_at.isoformat(),
                "code_version": row.code_version,
                "code_commit": row.code_commit,
                "environment": row.environment,
                "params": row.manifest["params"],
                "seeds": row.manifest["seeds"],
                "inputs": row.manifest["inputs"],
                "parents": parents,
                "checks": [{"name": c.name, "passed": c.passed} for c in registry.checks(current)],
            }
        )
        queue += list(parents.items())
    return out


def _raw_rows(
    store: ArtifactStore, events: list[dict[str, Any]], column: str, wanted: str
) -> list[dict[str, Any]]:
    out = []
    for entry in events:
        artifact = store.open(EVENTS, entry["digest"])
        files = artifact.files("events/")
        if not files:
            continue
        found = ds.dataset(files).to_table(columns=["file", "row"], filter=pc.field(column) == wanted)
        ledger = artifact.json("ledger.json")["files"]
        numbers, rows = found["file"].to_numpy(), found["row"].to_numpy()
        for number in np.unique(numbers):
            mine = np.sort(rows[numbers == number])
            out.append(
                {
                    "domain": entry["partition"],
                    "file": ledger[number]["location"],
                    "sha256": ledger[number]["sha256"],
                    "rows": len(mine),
                    "row_numbers": [int(r) for r in mine[:_ROWS_SHOWN]],
                }
            )
    return out
