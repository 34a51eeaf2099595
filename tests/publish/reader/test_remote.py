"""A root that is not on this machine: files are copied once, checked, and kept by the digest of their set."""

import fsspec
import numpy as np
import pytest
from fsspec.implementations.local import LocalFileSystem
from pyarrow import fs

from hier_dag.errors import StoreError, UsageError
from hier_dag.publish.reader import open_set


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture(params=["local", "subtree", "memory"])
def remote(cafe, request, tmp_path):
    """Where the set lies: a file system, and the root in it."""
    if request.param == "local":
        return fs.LocalFileSystem(), str(cafe.root)
    if request.param == "subtree":
        return fs.SubTreeFileSystem(str(cafe.root.parent), fs.LocalFileSystem()), cafe.root.name
    memory, bucket = fsspec.filesystem("memory"), tmp_path.name
    memory.put(str(cafe.root), f"/{bucket}", recursive=True)
    return fs.PyFileSystem(fs.FSSpecHandler(memory)), bucket


def test_a_remote_set_answers_as_the_local_one(cafe, remote, cache):
    filesystem, root = remote
    opened = open_set(root, "cafe", filesystem=filesystem, cache=cache)
    here = cafe.open()
    assert opened.recommend("u1", 3) == here.recommend("u1", 3)
    assert np.array_equal(opened.user_vectors(["u1", "ü2"]), here.user_vectors(["u1", "ü2"]))
    assert sorted(p.name for p in (cache / cafe.digest).iterdir()) == [
        "items.faiss", "items.parquet", "seen.parquet", "set.json", "users.parquet"
    ]  # fmt: skip
    with pytest.raises(UsageError, match="nothing is published for 'bar'; published: cafe"):
        open_set(root, "bar", filesystem=filesystem, cache=cache)
    with pytest.raises(UsageError, match="no version 2"):
        open_set(root, "cafe", filesystem=filesystem, cache=cache, version=2)


def test_files_are_fetched_when_they_are_needed_and_once(cafe, remote, cache):
    filesystem, root = remote
    open_set(root, "cafe", filesystem=filesystem, cache=cache)
    assert not (cache / cafe.digest / "users.parquet").exists()
    before = {p: p.stat().st_mtime_ns for p in (cache / cafe.digest).iterdir()}
    again = open_set(root, "cafe", filesystem=filesystem, cache=cache)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert len(again.recommend("u01", 2)) == 2


def test_a_damaged_copy_is_fetched_again(cafe, remote, cache):
    filesystem, root = remote
    open_set(root, "cafe", filesystem=filesystem, cache=cache).recommend("u01")
    for path in list((cache / cafe.digest).iterdir()):
        path.write_bytes(b"torn")
    assert len(open_set(root, "cafe", filesystem=filesystem, cache=cache).recommend("u01", 2)) == 2


def test_what_is_damaged_at_its_source_is_refused(cafe, cache):
    (cafe.folder(cafe.digest) / "items.parquet").write_bytes(b"torn")
    with pytest.raises(StoreError, match=r"local:.*items\.parquet: the file does not match its digest"):
        open_set(str(cafe.root), "cafe", filesystem=fs.LocalFileSystem(), cache=cache)
    assert not list(cache.rglob(".*.tmp"))


def test_a_held_remote_set_is_refreshed(cafe, cache):
    opened = open_set(str(cafe.root), "cafe", filesystem=fs.LocalFileSystem(), cache=cache)
    assert opened.refresh() is opened
    cafe.publish(cafe.digest, 2)
    assert opened.refresh().version == 2


def test_a_file_system_that_fails_is_told_with_the_file(cafe, cache):
    class Failing(LocalFileSystem):
        def _open(self, path, mode="rb", **kwargs):
            raise PermissionError("no credentials")

    filesystem = fs.PyFileSystem(fs.FSSpecHandler(Failing()))
    with pytest.raises(StoreError, match=r"000000000001\.json: the file cannot be read: .*no credentials"):
        open_set(str(cafe.root), "cafe", filesystem=filesystem, cache=cache)


def test_urls_and_paths_of_this_machine_are_read_in_place(cafe, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    for root in (str(cafe.root), cafe.root, cafe.root.as_uri()):
        assert open_set(root, "cafe").version == 1
    assert not (tmp_path / "xdg").exists()
    open_set(str(cafe.root), "cafe", filesystem=fs.LocalFileSystem())
    assert (tmp_path / "xdg" / "hier_dag" / "sets" / cafe.digest / "items.parquet").is_file()
