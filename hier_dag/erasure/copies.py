"""Sets at copies that hold erased users, those included that the home no longer has."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from ibis.backends.duckdb import Backend

from hier_dag.erasure.erased import Erased
from hier_dag.erasure.recognise import found
from hier_dag.names import is_digest
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.publish.files import SEEN, USERS
from hier_dag.publish.fsspec_places import filesystem, place_errors

_SET = "set_at_a_copy"


def holding_at(con: Backend, place: str, erased: Erased) -> list[str]:
    """Digests of the sets at a copy whose users or seen pairs are of erased users.

    Args:
        con: the engine.
        place: folder or URL of the copy.
        erased: who was erased.

    Raises:
        StorageError: the place cannot be reached or read.
    """
    with place_errors(place):
        fs, root = filesystem(place)
        folder = posixpath.join(root, "store", "artifacts", *PUBLISHED.split("/"))
        return list(_holding(con, fs or LocalFileSystem(), folder, erased))


def _holding(con: Backend, fs: AbstractFileSystem, folder: str, erased: Erased) -> Iterator[str]:
    names = fs.ls(folder, detail=False, refresh=True) if fs.exists(folder) else []
    for path in sorted(names):
        digest = posixpath.basename(str(path).rstrip("/"))
        if not is_digest(digest):
            continue
        users = [_users(fs, posixpath.join(str(path), name)) for name in (USERS, SEEN)]
        ids = pa.table({"user_id": pa.concat_arrays([u for u in users if u is not None] or [_none()])})
        if len(found(con, [con.create_table(_SET, ids, temp=True, overwrite=True)["user_id"]], erased)):
            yield digest


def _users(fs: AbstractFileSystem, path: str) -> pa.Array | None:
    if not fs.exists(path):
        return None
    with fs.open(path, "rb") as file:
        return pq.read_table(file, columns=["user_id"])["user_id"].unique().cast(pa.string())


def _none() -> pa.Array:
    return pa.array([], pa.string())
