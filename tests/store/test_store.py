"""The store: what is committed is whole, what is damaged is refused."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hier_dag.durable import replace_file
from hier_dag.errors import StoreError
from hier_dag.store import ArtifactStore, Manifest
from hier_dag.store.artifact import MANIFEST, FileEntry


def manifest(**changes):
    fields = {"kind": "kg/graph", "request_key": "0" * 64, "code_version": "1", "params": {"seed": 0}}
    return Manifest(**{**fields, **changes})


def commit(store, files=(("a.txt", b"alpha"), ("deep/b.bin", b"beta"))):
    with store.stage("kg/graph") as staged:
        for name, data in files:
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).write_bytes(data)
        return store.commit(staged, manifest())


def test_the_same_content_is_one_artifact(tmp_path):
    store = ArtifactStore(tmp_path)
    first, second = commit(store), commit(store)
    assert first.digest == second.digest
    assert first.file("deep/b.bin").read_bytes() == b"beta"
    assert commit(store, [("a.txt", b"other")]).digest != first.digest
    assert not list((tmp_path / "staging").iterdir())


def test_a_failed_stage_leaves_nothing(tmp_path):
    store = ArtifactStore(tmp_path)

    def interrupted():
        with store.stage("kg/graph") as staged:
            (staged / "half").write_bytes(b"x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert not list((tmp_path / "staging").iterdir())
    assert not list((tmp_path / "artifacts").iterdir())


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_flipped_bit_or_lost_byte_anywhere_is_refused(tmp_path, data):
    store = ArtifactStore(tmp_path)
    artifact = commit(store)
    name = data.draw(st.sampled_from(["a.txt", "deep/b.bin", MANIFEST]))
    path = artifact.path / name
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    flip = bytes([before[at] ^ (1 << data.draw(st.integers(0, 7)))])
    damaged = data.draw(st.sampled_from([before[:at] + flip + before[at + 1 :], before[:at]]))
    path.write_bytes(damaged)
    try:
        with pytest.raises(StoreError):
            ArtifactStore(tmp_path).open("kg/graph", artifact.digest)
    finally:
        path.write_bytes(before)
    assert ArtifactStore(tmp_path).open("kg/graph", artifact.digest).digest == artifact.digest


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../b", "", "a//b", "a\\..\\b", "./a"])
def test_a_manifest_cannot_name_a_file_outside_its_folder(name):
    with pytest.raises(ValueError, match="leave"):
        FileEntry(path=name, sha256="0" * 64, bytes=0)


def test_a_link_out_of_the_store_is_refused(tmp_path):
    store = ArtifactStore(tmp_path / "store")
    artifact = commit(store)
    outside = tmp_path / "outside"
    outside.write_bytes(b"alpha")
    artifact.file("a.txt").unlink()
    os.symlink(outside, artifact.path / "a.txt")
    with pytest.raises(StoreError, match="plain file"):
        ArtifactStore(tmp_path / "store").open("kg/graph", artifact.digest)


def test_a_missing_artifact_says_what_to_do(tmp_path):
    with pytest.raises(StoreError, match="run the pipeline again"):
        ArtifactStore(tmp_path).open("kg/graph", "f" * 64)


def test_replacing_a_file_leaves_the_old_one_when_the_write_fails(tmp_path, monkeypatch):
    path = tmp_path / "live.json"
    replace_file(path, b"old")

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["live.json"]


def test_committing_again_replaces_a_damaged_folder(tmp_path):
    store = ArtifactStore(tmp_path)
    artifact = commit(store)
    artifact.file("a.txt").write_bytes(b"alphA")
    assert commit(store).digest == artifact.digest
    assert ArtifactStore(tmp_path).open("kg/graph", artifact.digest).file("a.txt").read_bytes() == b"alpha"
    assert not list((tmp_path / "staging").iterdir())
