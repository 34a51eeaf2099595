"""A set comes back from a copy whole and checked, or not at all, whatever the copy holds."""

import errno
import os

import fsspec
import pytest

from hier_dag.errors import StoreError
from hier_dag.publish.fetching import fetch_set
from hier_dag.publish.mirror import copy_set
from hier_dag.publish.reader.layout import set_folder
from hier_dag.store.failures import StorageError
from tests.retention.conftest import Town

KIND = "publish/embeddings"


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path)


@pytest.fixture(params=["folder", "object store"])
def place(request, tmp_path):
    yield str(tmp_path / "copy") if request.param == "folder" else f"memory://{tmp_path.name}"
    memory = fsspec.filesystem("memory")
    if memory.exists(f"/{tmp_path.name}"):
        memory.rm(f"/{tmp_path.name}", recursive=True)


def change(place, digest, name, data):
    with fsspec.open(f"{place}/{set_folder(digest)}/{name}", "wb") as file:
        file.write(data)


def test_it_comes_back_with_its_digest_and_what_was_damaged_gives_way(town, place):
    artifact = town.commit("vectors", KIND, "cafe")
    copy_set(artifact, place)
    (artifact.path / "f").write_text("VECTORS")
    found = fetch_set(town.store, artifact.digest, place)
    assert found.digest == artifact.digest
    assert town.store.open(KIND, artifact.digest).file("f").read_text() == "vectors"
    assert not list((town.home.store / "staging").iterdir())


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("f", b"VECTORS", "f: the file does not match"),
        ("f", b"vectors and more", "f: the file does not match"),
        ("manifest.json", b"{}", "the manifest does not match"),
    ],
)
def test_what_is_damaged_at_the_copy_too_does_not_come_back(town, place, name, data, says):
    artifact = town.commit("vectors", KIND, "cafe")
    copy_set(artifact, place)
    change(place, artifact.digest, name, data)
    (artifact.path / "f").unlink()
    with pytest.raises(StoreError, match=says):
        fetch_set(town.store, artifact.digest, place)
    assert [p.name for p in artifact.path.iterdir()] == ["manifest.json"], "what is here stays as it was"
    assert not list((town.home.store / "staging").iterdir())


def test_a_set_of_another_kind_or_none_is_not_taken(town, place):
    graph = town.commit("a graph")
    change(place, graph.digest, "manifest.json", graph.manifest.to_bytes())
    with pytest.raises(StoreError, match="does not match its digest"):
        fetch_set(town.store, graph.digest, place)
    with pytest.raises(StoreError, match="the copy has no such set"):
        fetch_set(town.store, "f" * 64, place)


def test_a_full_disk_here_is_told_as_ones_own(town, place, monkeypatch):
    artifact = town.commit("vectors", KIND, "cafe")
    copy_set(artifact, place)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left") as told:
        fetch_set(town.store, artifact.digest, place)
    assert str(told.value.file).startswith(f"{town.home.store}/staging/")
