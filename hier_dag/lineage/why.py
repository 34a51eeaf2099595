"""Walks one published vector back: published set, model, encoder, graph, events, raw files and rows."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from hier_dag.errors import StoreError, UsageError
from hier_dag.graph.reading import reading
from hier_dag.pipeline.stages import EVENTS, LINKS
from hier_dag.publish.files import ITEMS, USERS
from hier_dag.publish.reader.records import VersionRecord
from hier_dag.registry import Registry
from hier_dag.store import Artifact, ArtifactStore

ROLES = ("user", "item")
_ROWS_SHOWN = 20
# Tables that carry ids, by the start of their file's name, and the columns to look in.
_TABLES: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    (EVENTS, "user"): {"events/": ("user_id",)},
    (EVENTS, "item"): {"events/": ("item_id",)},
    (LINKS, "user"): {"user_user.parquet": ("user_id", "other_id")},
    (LINKS, "item"): {"catalogue.parquet": ("item_id",), "item_entity.parquet": ("item_id",)},
}


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
        raw: raw files whose rows carry the id: what they feed (events, item_entity, catalogue, …), domain,
            file, sha256, rows (count) and the first row numbers.
        namesake: the other role, where the same id is also published in it.
    """

    domain: str
    id: str
    role: str
    version: int
    origin: str
    norm: float
    artifacts: list[dict[str, Any]]
    raw: list[dict[str, Any]]
    namesake: str | None = None


def why(
    store: ArtifactStore, registry: Registry, live: VersionRecord, wanted: str, role: str | None = None
) -> Why:
    """Explains the live vector of a user or item.

    Args:
        store: artifact store.
        registry: registry.
        live: the domain's live version.
        wanted: original id of a user or an item.
        role: `user` or `item`; None takes the user where the id is both.

    Raises:
        UsageError: when the set holds no such id.
        StoreError: when an artifact on the way is missing or damaged.
    """
    published = store.open("publish/embeddings", live.digest)
    found = {r: v for r in ROLES if role in (None, r) and (v := _vector(published, r, wanted)) is not None}
    if not found:
        what = f"no {role}" if role else "neither a user nor an item"
        raise UsageError(
            f"{wanted!r} is {what} of the live set (version {live.version}).",
            domain=live.domain,
            fix="check the id's spelling, letter case and leading zeros",
        )
    role, *others = found
    origin, norm = found[role]
    artifacts = _ancestors(registry, live.digest)
    return Why(
        domain=live.domain,
        id=wanted,
        role=role,
        version=live.version,
        origin=origin,
        norm=norm,
        artifacts=artifacts,
        raw=[row for a in artifacts for row in _raw_rows(store, a, role, wanted)],
        namesake=others[0] if others else None,
    )


def _vector(published: Artifact, role: str, wanted: str) -> tuple[str, float] | None:
    """Origin and norm of a published vector, None where there is none."""
    key = f"{role}_id"
    file = published.file(USERS if role == "user" else ITEMS)
    with reading(file):
        table = pq.read_table(file, columns=["vector", "origin"], filters=[(key, "==", wanted)])
    if table.num_rows == 0:
        return None
    vector = np.asarray(table["vector"][0].as_py(), dtype=np.float32)
    return str(table["origin"][0]), float(np.linalg.norm(vector))


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
    store: ArtifactStore, entry: dict[str, Any], role: str, wanted: str
) -> Iterator[dict[str, Any]]:
    """Rows of one artifact that carry the id, per raw file."""
    tables = _TABLES.get((entry["kind"], role), {})
    if not tables:
        return
    artifact = store.open(entry["kind"], entry["digest"])
    ledger = artifact.json("ledger.json")["files"]
    for prefix, columns in tables.items():
        files = artifact.files(prefix)
        if not files:
            continue
        carries = functools.reduce(operator.or_, (pc.field(c) == wanted for c in columns))
        found = ds.dataset(files).to_table(columns=["file", "row"], filter=carries)
        numbers, rows = found["file"].to_numpy(), found["row"].to_numpy()
        for number in np.unique(numbers):
            mine = np.sort(rows[numbers == number])
            yield {
                "feeds": ledger[number].get("feeds", "events"),
                "domain": ledger[number].get("domain") or entry["partition"],
                "file": ledger[number]["location"],
                "sha256": ledger[number]["sha256"],
                "rows": len(mine),
                "row_numbers": [int(r) for r in mine[:_ROWS_SHOWN]],
            }
