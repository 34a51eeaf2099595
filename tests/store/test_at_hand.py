"""What must be quick looks that an artifact's files are there; whoever uses them reads them."""

import os

import pytest

from hier_dag.digest import digest_file
from hier_dag.environment import environment_digest
from hier_dag.errors import StoreError
from hier_dag.store import ArtifactStore, Manifest, local


@pytest.fixture
def store(tmp_path):
    return ArtifactStore(tmp_path)


@pytest.fixture
def artifact(store):
    with store.stage("kg/graph") as staged:
        (staged / "a.txt").write_text("alpha")
        manifest = Manifest(
            kind="kg/graph", partition=None, request_key="0" * 64, code_version="1", params={},
            environment=environment_digest(),
        )  # fmt: skip
        return store.commit(staged, manifest)


def test_no_file_is_read(store, artifact, monkeypatch):
    read = []
    monkeypatch.setattr(local, "digest_file", lambda path: read.append(path) or digest_file(path))
    assert store.at_hand("kg/graph", artifact.digest).file("a.txt").read_text() == "alpha"
    assert read == []
    ArtifactStore(store.root).open("kg/graph", artifact.digest)
    assert read == [artifact.file("a.txt")]


def test_a_file_of_another_length_is_refused(store, artifact):
    os.truncate(artifact.file("a.txt"), 4)
    with pytest.raises(StoreError, match=r"a\.txt.*does not match"):
        store.at_hand("kg/graph", artifact.digest)


@pytest.mark.parametrize("link", [False, True])
def test_a_file_that_is_gone_or_a_link_is_refused(store, artifact, link):
    path = artifact.file("a.txt")
    path.rename(store.root / "elsewhere")
    if link:
        path.symlink_to(store.root / "elsewhere")
    with pytest.raises(StoreError, match=r"a\.txt.*missing or not a plain file.*run the pipeline again"):
        store.at_hand("kg/graph", artifact.digest)


def test_an_artifact_that_is_gone_is_refused(store):
    with pytest.raises(StoreError, match="not in the store"):
        store.at_hand("kg/graph", "f" * 64)
