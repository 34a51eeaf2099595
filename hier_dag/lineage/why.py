"""Walks published vectors back: published set, model, encoder, graph, events, raw files and rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hier_dag.errors import UsageError
from hier_dag.graph.reading import reading
from hier_dag.lineage.certificates import certificates_of
from hier_dag.lineage.chain import chain_of, runs_of
from hier_dag.lineage.environments import environments_of
from hier_dag.lineage.id_rows import rows_with, strings
from hier_dag.lineage.raw_rows import rows_of
from hier_dag.lineage.release import release_of
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.publish.reader.layout import ITEMS, USERS
from hier_dag.publish.reader.records import VersionRecord
from hier_dag.registry import Registry
from hier_dag.store import ArtifactStore

ROLES = ("user", "item")


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
        artifacts: from the published set back to events and links (`chain_of`).
        raw: raw files whose rows carry the id, and what became of the file's other rows (`rows_of`).
        release: who made the version live and why, gates, waivers, approvals, roll-backs (`release_of`).
        leakage: figures of the leakage certificates (`certificates_of`).
        environments: what ran, by digest (`environments_of`).
        runs: who started each run and where, by id (`runs_of`).
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
    release: dict[str, Any]
    leakage: dict[str, Any]
    environments: dict[str, dict[str, Any]]
    runs: dict[str, dict[str, Any]]
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
    lineage = Lineage(store, registry, live)
    roles = [r for r in ROLES if role in (None, r) and lineage.holds(r, wanted)]
    if not roles:
        what = f"no {role}" if role else "neither a user nor an item"
        raise UsageError(
            f"{wanted!r} is {what} of the live set (version {live.version}).",
            domain=live.domain,
            fix="check the id's spelling, letter case and leading zeros",
        )
    (found,) = lineage.of([wanted], roles[0], namesake=roles[1] if len(roles) > 1 else None)
    return found


class Lineage:
    """The lineage of one version's vectors: what all of them share is asked once.

    Args:
        store: artifact store.
        registry: registry.
        live: the version.

    Raises:
        StoreError: the set is missing or damaged.
    """

    def __init__(self, store: ArtifactStore, registry: Registry, live: VersionRecord) -> None:
        self.store, self.registry, self.live = store, registry, live
        self._published = store.open(PUBLISHED, live.digest)

    def ids(self, role: str) -> list[str]:
        """Every published id of a role, in byte order."""
        key, file = f"{role}_id", self._file(role)
        with reading(file), pq.ParquetFile(file) as parquet:
            return [str(i) for i in parquet.read(columns=[key])[key].to_pylist()]

    def holds(self, role: str, wanted: str) -> bool:
        """Whether the set has a vector of an id."""
        key = f"{role}_id"
        return bool(rows_with(self._file(role), key, strings([wanted]), [key]).num_rows)

    def of(self, ids: Sequence[str], role: str, namesake: str | None = None) -> Iterator[Why]:
        """Explains the vectors of some ids of a role, in the order of the set; those it lacks are left out.

        Args:
            ids: original ids, each once.
            role: `user` or `item`.
            namesake: the other role, where they are published in it too.

        Raises:
            StoreError: an artifact on the way is missing or damaged.
        """
        key = f"{role}_id"
        found = rows_with(self._file(role), key, strings(ids), [key, "vector", "origin"])
        if not found.num_rows:
            return
        names = found[key].to_pylist()
        rows = rows_of(self.store, self.chain, role, names)
        for name, origin, norm in zip(names, found["origin"].to_pylist(), _norms(found), strict=True):
            yield Why(
                domain=self.live.domain,
                id=name,
                role=role,
                version=self.live.version,
                origin=origin,
                norm=norm,
                artifacts=self.chain,
                raw=rows[name],
                namesake=namesake,
                **self._shared,
            )

    @cached_property
    def chain(self) -> list[dict[str, Any]]:
        """Artifacts on the way."""
        return chain_of(self.registry, self.live.digest)

    @cached_property
    def _shared(self) -> dict[str, Any]:
        return {
            "release": release_of(self.registry, self.live, self._published.manifest.parents.get("model")),
            "leakage": certificates_of(self.store, self.chain, self.live.domain),
            "environments": environments_of(self.registry, _each(self.chain, "environment")),
            "runs": runs_of(self.registry, _each(self.chain, "run_id")),
        }

    def _file(self, role: str) -> Path:
        return self._published.file(USERS if role == "user" else ITEMS)


def _norms(found: pa.Table) -> list[float]:
    """Euclidean norm of each vector."""
    column = found["vector"].combine_chunks()
    vectors = np.from_dlpack(column.flatten()).astype(np.float32).reshape(len(column), -1)
    return [float(n) for n in np.linalg.norm(vectors, axis=1)]


def _each(chain: Iterable[dict[str, Any]], key: str) -> list[str]:
    return [entry[key] for entry in chain]
