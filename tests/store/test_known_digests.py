"""A file hashed while it was written is not read again to be committed; whoever reads it still checks it."""

import hashlib

import pytest

from hier_dag.errors import StoreError
from hier_dag.store import ArtifactStore, FileEntry, Manifest, local

DATA = b"alpha"
KNOWN = FileEntry(path="a.bin", sha256=hashlib.sha256(DATA).hexdigest(), bytes=len(DATA))


def commit(store, known=(), data=DATA, name="a.bin"):
    manifest = Manifest(kind="kg/graph", request_key="0" * 64, code_version="1", params={})
    with store.stage("kg/graph") as staged:
        (staged / name).write_bytes(data)
        (staged / "b.bin").write_bytes(b"beta")
        return store.commit(staged, manifest, known)


def test_a_known_file_is_not_read_and_the_artifact_is_the_same(tmp_path, monkeypatch):
    read = []
    digest_file = local.digest_file
    monkeypatch.setattr(local, "digest_file", lambda path: read.append(path.name) or digest_file(path))
    known = commit(ArtifactStore(tmp_path / "known"), [KNOWN])
    assert read == ["b.bin"]
    assert known.digest == commit(ArtifactStore(tmp_path / "read")).digest


def test_a_file_that_is_not_what_its_writer_hashed_is_refused_when_it_is_read(tmp_path):
    store = ArtifactStore(tmp_path)
    artifact = commit(store, [KNOWN], data=b"alphA")
    for reader in (store, ArtifactStore(tmp_path)):
        with pytest.raises(StoreError, match="does not match its digest"):
            reader.open("kg/graph", artifact.digest)


def test_a_file_that_grew_after_it_was_written_is_not_committed(tmp_path):
    with pytest.raises(StoreError, match="changed after it was written"):
        commit(ArtifactStore(tmp_path), [KNOWN], data=DATA + b"!")


def test_a_file_that_vanished_after_it_was_written_is_not_committed(tmp_path):
    with pytest.raises(StoreError, match=r"a staged file is gone"):
        commit(ArtifactStore(tmp_path), [KNOWN], name="c.bin")
    assert not list((tmp_path / "artifacts").rglob("manifest.json"))
