"""What lies in a store is listed by its place; what cannot be read is never taken for absent."""

import pytest

from hier_dag.store import ArtifactStore, Manifest
from hier_dag.store.failures import StorageError
from hier_dag.store.folders import folders
from hier_dag.store.shelves import Shelves
from tests.denied import denied


@pytest.fixture
def store(tmp_path):
    store = ArtifactStore(tmp_path / "store")
    for kind in ("kg/graph", "raw/events"):
        with store.stage(kind) as staged:
            (staged / "data").write_text("x")
            body = Manifest(
                kind=kind, partition="food", request_key="0" * 64, code_version="1", params={},
                parents={"graph": "a" * 64},
            )  # fmt: skip
            store.commit(staged, body)
    return store


def test_artifacts_are_listed_with_what_their_manifests_say(store):
    found = Shelves(store.root).look()
    assert [(a.kind, a.partition, a.parents) for a in found] == [
        ("kg/graph", "food", {"a" * 64}),
        ("raw/events", "food", {"a" * 64}),
    ]
    assert [a.path for a in found] == [store.path_of(a.kind, a.digest) for a in found]


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4])
def test_nobody_takes_what_cannot_be_read_for_absent(store, depth):
    path = Shelves(store.root).look()[0].path / "manifest.json"
    path = [*reversed([path, *path.parents][:5])][depth]
    with denied(path):
        found = folders(store.root / "artifacts")
        with pytest.raises(StorageError, match="it cannot be read: Permission denied") as told:
            Shelves(store.root).look()
    assert str(told.value.file).startswith(str(path))
    assert [error.file for error in found.unread] == ([str(path)] if depth < 3 else [])
    assert len(found.artifacts) == {0: 0, 1: 1, 2: 1}.get(depth, 2)


def test_a_file_in_place_of_the_folder_is_a_stranger_and_a_missing_folder_is_empty(tmp_path):
    (tmp_path / "file").touch()
    assert folders(tmp_path / "file").strangers == [tmp_path / "file"]
    assert folders(tmp_path / "none").strangers == []
