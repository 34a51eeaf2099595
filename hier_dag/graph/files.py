"""Where a knowledge graph's parts lie in its artifact, and how they are read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from hier_dag.graph.csr import CSR
from hier_dag.graph.knowledge_graph import Interactions, KnowledgeGraph
from hier_dag.graph.reading import reading

USERS, ITEMS, ENTITIES = "nodes/users.parquet", "nodes/items.parquet", "nodes/entities.parquet"
CATALOGUE, AUDIENCE = "catalogue.parquet", "audience.parquet"
SPLITS = "splits"
EDGES, RELATIONS = "edges.safetensors", "relations.parquet"
PROFILE = "profile.json"


def splits_file(domain: str) -> str:
    """File of a domain's pairs and splits."""
    return f"{SPLITS}/{domain}.parquet"


def first_times(folder: Path, domain: str) -> NDArray[np.datetime64]:
    """Time of the first event of each of a domain's pairs, datetime64[us] UTC [pairs]; NaT where unknown."""
    column = pq.read_table(folder / splits_file(domain), columns=["first"])["first"]
    return np.asarray(column.cast(pa.timestamp("us")).to_numpy(), dtype="datetime64[us]")


def save_edges(folder: Path, relations: dict[str, CSR]) -> None:
    """Writes every relation's CSR arrays to one safetensors file."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, csr in relations.items():
        arrays[f"{name}|indptr"] = csr.indptr
        arrays[f"{name}|indices"] = csr.indices
        arrays[f"{name}|cols"] = np.array([csr.cols], dtype=np.int64)
        if csr.values is not None:
            arrays[f"{name}|values"] = csr.values
        if csr.kinds is not None:
            arrays[f"{name}|kinds"] = csr.kinds
    save_file(arrays, folder / EDGES)


def load_edges(folder: Path) -> dict[str, CSR]:
    """Reads the relations that `save_edges` wrote.

    Raises:
        StoreError: when the file holds something else.
    """
    parts: dict[str, dict[str, Any]] = {}
    with reading(folder / EDGES):
        for key, array in load_file(folder / EDGES).items():
            name, part = key.rsplit("|", 1)
            parts.setdefault(name, {})[part] = array
        return {
            name: CSR(p["indptr"], p["indices"], int(p["cols"][0]), p.get("values"), p.get("kinds"))
            for name, p in parts.items()
        }


def load_graph(folder: Path, sources: tuple[str, ...], targets: tuple[str, ...]) -> KnowledgeGraph:
    """Reads a knowledge graph artifact's folder.

    Args:
        folder: the artifact's folder, already verified.
        sources: source domains, in declared order.
        targets: target domains, in declared order.

    Raises:
        StoreError: when a file is missing or not what its name says.
    """
    edges = load_edges(folder)
    entities = _table(folder / ENTITIES, "entity_id", "name")
    relations = _table(folder / RELATIONS, "relation")
    return KnowledgeGraph(
        sources=sources,
        targets=targets,
        user_ids=_strings(_table(folder / USERS, "user_id")["user_id"]),
        item_ids=_strings(_table(folder / ITEMS, "item_id")["item_id"]),
        entity_ids=_strings(entities["entity_id"]),
        entity_names=_strings(entities["name"]),
        interacts={d: edges[f"interacts:{d}"] for d in (*sources, *targets)},
        has_entity=edges["has_entity"],
        entity_entity=edges["entity_entity"],
        social=edges["social"],
        catalogue=_by_domain(folder / CATALOGUE, "item", (*sources, *targets)),
        audience=_by_domain(folder / AUDIENCE, "user", (*sources, *targets)),
        interactions={d: load_interactions(folder / splits_file(d)) for d in (*sources, *targets)},
        entity_relations=tuple(str(name) for name in _strings(relations["relation"])),
    )


def _table(path: Path, *columns: str) -> pa.Table:
    with reading(path):
        return pq.read_table(path, columns=list(columns)).select(columns)


def _strings(column: pa.ChunkedArray) -> NDArray[np.object_]:
    out: NDArray[np.object_] = column.to_numpy(zero_copy_only=False).astype(object)
    return out


def _by_domain(path: Path, column: str, domains: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
    table = _table(path, "domain", column)
    names = table["domain"].to_numpy(zero_copy_only=False)
    values = table[column].to_numpy()
    return {d: np.sort(values[names == d]) for d in domains}


def load_interactions(path: Path) -> Interactions:
    """Reads a domain's pairs and splits."""
    t = _table(path, *Interactions.__annotations__)
    return Interactions(*(t[c].to_numpy() for c in Interactions.__annotations__))
