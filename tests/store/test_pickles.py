"""A pickle under the name of any file that an artifact holds is refused by name, and never unpickled."""

import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.errors import StoreError
from hier_dag.graph.csr import from_coo
from hier_dag.graph.files import EDGES, RELATIONS, USERS, load_edges, load_graph, save_edges
from hier_dag.ingest.ledger import Ledger
from hier_dag.publish.aliases import AliasRecords
from hier_dag.publish.reader import VersionRecord, open_set
from hier_dag.publish.reader.layout import INDEX, ITEMS, SEEN, SET
from hier_dag.store import ArtifactStore, Manifest
from hier_dag.train.encoding_files import ENCODING, load_encoding
from hier_dag.transfer.save import METHOD, VECTORS, load_vectors


class Marker:
    """Unpickled, it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def __reduce__(self):
        return (open, (self.file, "w"))


@pytest.fixture
def marked(tmp_path):
    """The bytes of a pickle; afterwards nobody has unpickled it."""
    mark = tmp_path / "MARK"
    data = pickle.dumps(Marker(mark))
    pickle.loads(data).close()
    assert mark.exists(), "the pickle would make its mark"
    mark.unlink()
    yield data
    assert not mark.exists()


def header(text: bytes, body: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if size is None else size) + text + body


def tensor(**changes) -> bytes:
    return json.dumps(
        {"a|indptr": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8], **changes}}
    ).encode()


DAMAGED = {
    "a length beyond the file": header(b"{}", size=2**63),
    "a length of 100 MB and more": header(b" " * 100, size=10**8 + 1),
    "offsets beyond the file": header(tensor(data_offsets=[0, 2**60]), bytes(8)),
    "a shape that does not fit": header(tensor(shape=[2**40]), bytes(8)),
    "a shape whose product overflows": header(tensor(shape=[2**33, 2**33]), bytes(8)),
    "offsets that go backwards": header(tensor(data_offsets=[8, 0]), bytes(8)),
    "an unknown type": header(tensor(dtype="OBJECT"), bytes(8)),
    "no tensor of a relation": header(tensor(), bytes(8)),
    "a key without a relation": header(tensor().replace(b"a|indptr", b"indptr"), bytes(8)),
    "nested JSON": header(b'{"a":' * 5_000),
    "nothing": b"",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_safetensors_header_that_lies_is_refused(tmp_path, data):
    (tmp_path / EDGES).write_bytes(data)
    with pytest.raises(StoreError) as caught:
        load_edges(tmp_path)
    assert caught.value.file == str(tmp_path / EDGES)
    (tmp_path / ENCODING).write_bytes(data)
    with pytest.raises(StoreError):
        load_encoding(tmp_path)


@pytest.mark.parametrize("read", [load_edges, load_encoding, load_vectors], ids=lambda f: f.__name__)
def test_arrays(tmp_path, marked, read):
    name = {load_edges: EDGES, load_encoding: ENCODING, load_vectors: VECTORS}[read]
    (tmp_path / METHOD).write_text('{"method": "closed_form"}')
    (tmp_path / name).write_bytes(marked)
    with pytest.raises(StoreError) as caught:
        read(tmp_path)
    assert caught.value.file == str(tmp_path / name)
    assert caught.value.fix


@pytest.mark.parametrize("name", [USERS, RELATIONS])
def test_node_tables(tmp_path, marked, name):
    save_edges(tmp_path, {"has_entity": from_coo(np.array([0]), np.array([0]), 1, 1)})
    for file in ("nodes/entities.parquet", RELATIONS, USERS):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        columns = {c: ["x"] for c in ("entity_id", "name", "relation", "user_id")}
        pq.write_table(pa.table(columns), tmp_path / file)
    (tmp_path / name).write_bytes(marked)
    with pytest.raises(StoreError) as caught:
        load_graph(tmp_path, (), ())
    assert caught.value.file == str(tmp_path / name)


def published(root, **files):
    """A set whose files hold what is given, committed with digests that fit."""
    vectors = pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))
    store = ArtifactStore(root / "store")
    with store.stage("publish/embeddings") as staged:
        for what in ("user", "item"):
            columns = {f"{what}_id": ["x"], "name": ["x"], "vector": vectors, "origin": ["trained"]}
            pq.write_table(pa.table(columns), staged / f"{what}s.parquet")
        pq.write_table(pa.table({"user_id": ["x"], "item_id": ["x"]}), staged / SEEN)
        (staged / SET).write_text('{"index": {"kind": "flat"}}' if INDEX in files else "{}")
        for name, data in files.items():
            (staged / name).write_bytes(data)
        manifest = Manifest(kind="publish/embeddings", request_key="0" * 64, code_version="1", params={})
        artifact = store.commit(staged, manifest)
    record = VersionRecord("cafe", "live", 1, artifact.digest, "publish", "first", None, "me", "", "")
    AliasRecords(root).write(record)
    return artifact


@pytest.mark.parametrize("name", ["users.parquet", ITEMS, SEEN, SET, INDEX])
def test_published_files(tmp_path, marked, name):
    artifact = published(tmp_path, **{name: marked})
    with pytest.raises(StoreError) as caught:
        open_set(tmp_path, "cafe").recommend("x")
    assert caught.value.file == str(artifact.path / name)


def test_vectors_that_are_objects_are_refused(tmp_path, marked):
    pq.write_table(pa.table({"item_id": ["x"], "vector": [marked], "origin": ["trained"]}), tmp_path / "x")
    published(tmp_path, **{ITEMS: (tmp_path / "x").read_bytes()})
    with pytest.raises(StoreError, match="not a fixed-size list"):
        open_set(tmp_path, "cafe")


def test_an_extension_type_of_python_objects_is_not_built(tmp_path, marked):
    meta = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": marked}
    field = pa.field("user_id", pa.string(), metadata=meta)
    pq.write_table(pa.table([pa.array(["x"])], pa.schema([field])), tmp_path / "users.parquet")
    assert pq.read_table(tmp_path / "users.parquet")["user_id"].to_pylist() == ["x"]


@pytest.mark.parametrize("name", ["cafe/live/000000000001.json", "cafe.json"])
def test_version_records_and_the_older_alias_file(tmp_path, marked, name):
    file = tmp_path / "live" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(marked)
    with pytest.raises(StoreError, match="the file is no JSON") as caught:
        open_set(tmp_path, "cafe")
    assert caught.value.file == str(file)


def test_the_ledger(tmp_path, marked):
    (tmp_path / "ledger.json").write_bytes(marked)
    with pytest.raises(StoreError, match="not a ledger"):
        Ledger.read(tmp_path / "ledger.json")
