"""Which erased users an artifact's files hold: each file's column of users is looked at, and no other."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend
from numpy.typing import NDArray

from hier_dag.erasure.erased import Erased
from hier_dag.erasure.places import files_of, places_of
from hier_dag.erasure.recognise import found, naming
from hier_dag.graph.files import USERS
from hier_dag.graph.mapped import mapped_arrays
from hier_dag.store import Artifact

Ids = frozenset[str]


def held(con: Backend, artifact: Artifact, erased: Erased) -> Ids:
    """Erased ids in an artifact's tables and in the text of its rows; numbers of users apart.

    Args:
        con: the engine.
        artifact: it.
        erased: who was erased.
    """
    places, ids = places_of(artifact.manifest.kind), set[str]()
    for beginning, columns in places.ids:
        if files := files_of(artifact, beginning):
            rows = con.read_parquet(files)
            ids |= set(found(con, [rows[c] for c in columns], erased).to_pylist())
    for beginning, columns in places.text:
        if files := files_of(artifact, beginning):
            ids |= set(naming(con, con.read_parquet(files), columns, erased).to_pylist())
    return frozenset(ids)


def held_by_number(artifact: Artifact, graph: Artifact, ids: Ids) -> Ids:
    """Those of some users whose numbers an artifact's file holds.

    Args:
        artifact: of a model or a study.
        graph: that its numbers are of.
        ids: users of the graph.
    """
    where = places_of(artifact.manifest.kind).numbers
    if where is None or not ids or where[0] not in {f.path for f in artifact.manifest.files}:
        return frozenset()
    nodes = pq.read_table(graph.file(USERS), columns=["user", "user_id"])
    nodes = nodes.filter(pc.is_in(nodes["user_id"], pa.array(sorted(ids), pa.string())))
    there = np.isin(nodes["user"].to_numpy(), _numbers(artifact, *where))
    return frozenset(nodes.filter(pa.array(there))["user_id"].to_pylist())


def _numbers(artifact: Artifact, file: str, name: str) -> NDArray[np.int64]:
    if file.endswith(".parquet"):
        if name not in pq.read_schema(artifact.file(file)).names:
            return np.zeros(0, np.int64)
        column = pq.read_table(artifact.file(file), columns=[name])[name]
        return np.asarray(pc.unique(column).to_numpy(), np.int64)
    return np.asarray(mapped_arrays(artifact.file(file))[name], np.int64)
