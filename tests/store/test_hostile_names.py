"""Names and links that would lead out of the store are refused, and nothing is written elsewhere."""

import json
import os

import pytest

from hier_dag.durable import replace_file
from hier_dag.errors import StoreError, UsageError
from hier_dag.publish.live import Live, move_live, read_live
from hier_dag.store import ArtifactStore, Manifest
from hier_dag.store.artifact import MANIFEST

TRAVERSALS = [
    "../outside",
    "..",
    "/etc",
    "kg/../../outside",
    "kg",
    "kg/graph\n",
    "kg/graph/x",
    "KG/graph",
    "kg/\0",
]
FIELDS = {"request_key": "0" * 64, "code_version": "1", "params": {}}


@pytest.fixture
def outside(tmp_path):
    """A folder beside the store that nothing may touch."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(b"alpha")
    return folder


def commit(store, put=None, **changes):
    with store.stage("kg/graph") as staged:
        (staged / "deep").mkdir()
        (staged / "deep" / "a.txt").write_bytes(b"alpha")
        if put is not None:
            put(staged)
        return store.commit(staged, Manifest(**{"kind": "kg/graph", **FIELDS, **changes}))


@pytest.mark.parametrize("kind", TRAVERSALS)
def test_a_kind_cannot_lead_out_of_the_store(tmp_path, kind):
    store = ArtifactStore(tmp_path / "store")
    with pytest.raises(StoreError, match="no kind"):
        store.open(kind, "0" * 64)
    with pytest.raises(StoreError, match="no kind"), store.stage(kind):
        pass
    with pytest.raises(ValueError, match="kind"):
        Manifest(kind=kind, **FIELDS)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["store"]


@pytest.mark.parametrize("digest", ["../../../outside", "", ".", "f" * 63, "F" * 64, "f" * 64 + "\n"])
def test_a_digest_cannot_lead_out_of_the_store(tmp_path, digest):
    with pytest.raises(StoreError, match="no digest"):
        ArtifactStore(tmp_path / "store").open("kg/graph", digest)


@pytest.mark.parametrize("partition", ["../x", "a/b", "a\n", "", "A"])
def test_a_manifest_cannot_name_a_partition_that_is_no_folder(partition):
    with pytest.raises(ValueError, match="partition"):
        Manifest(kind="kg/graph", partition=partition, **FIELDS)


@pytest.mark.parametrize("what", ["file", "folder", "dangling", "pipe"])
def test_a_staged_link_or_pipe_is_never_committed(tmp_path, outside, what):
    def put(staged):
        if what == "pipe":
            os.mkfifo(staged / "in")
        else:
            target = {"file": outside / "secret", "folder": outside, "dangling": outside / "gone"}[what]
            (staged / "in").symlink_to(target)

    store = ArtifactStore(tmp_path / "store")
    with pytest.raises(StoreError, match="link or not a plain file") as caught:
        commit(store, put)
    assert caught.value.file.endswith("/in")
    assert not list((tmp_path / "store" / "artifacts").rglob("*.json"))
    assert not list((tmp_path / "store" / "staging").iterdir())
    assert (outside / "secret").read_bytes() == b"alpha"


def test_a_staged_file_whose_name_no_manifest_may_hold_is_refused(tmp_path):
    with pytest.raises(StoreError, match="no manifest may name"):
        commit(ArtifactStore(tmp_path / "store"), lambda staged: (staged / "a\\b").write_bytes(b""))


def test_folders_inside_an_artifact_cannot_be_links(tmp_path, outside):
    artifact = commit(ArtifactStore(tmp_path / "store"))
    (artifact.path / "deep").rename(outside / "deep")
    (artifact.path / "deep").symlink_to(outside / "deep")
    with pytest.raises(StoreError, match="plain file"):
        ArtifactStore(tmp_path / "store").open("kg/graph", artifact.digest)


@pytest.mark.parametrize("name", ["", MANIFEST])
def test_neither_the_folder_of_an_artifact_nor_its_manifest_can_be_a_link(tmp_path, outside, name):
    artifact = commit(ArtifactStore(tmp_path / "store"))
    there = artifact.path / name if name else artifact.path
    there.rename(outside / "moved")
    there.symlink_to(outside / "moved")
    with pytest.raises(StoreError, match="link out of the store"):
        ArtifactStore(tmp_path / "store").open("kg/graph", artifact.digest)
    assert commit(ArtifactStore(tmp_path / "store")).digest == artifact.digest, (
        "a rerun puts a whole one there"
    )
    assert (outside / "moved").exists(), "what the link pointed to is left alone"
    assert not list((tmp_path / "store" / "staging").iterdir())


@pytest.mark.parametrize("domain", ["../outside/x", "/etc/passwd", "a/b", "..", "", "a\n", "é", "x" * 101])
def test_an_alias_of_no_domain_is_neither_read_nor_written(tmp_path, outside, domain):
    (outside / "x.json").write_text(json.dumps({"domain": domain, "version": 1, "digest": "0" * 64}))
    with pytest.raises(UsageError, match="no domain can be called"):
        read_live(tmp_path / "live", domain)
    with pytest.raises(UsageError, match="no domain can be called"):
        move_live(tmp_path / "live", Live(domain, 2, "0" * 64))
    assert sorted(p.name for p in outside.iterdir()) == ["secret", "x.json"]
    assert not (tmp_path / "live").exists()


@pytest.mark.parametrize(
    ("digest", "version"),
    [("../../../../outside", 1), ("", 1), (7, 1), (None, 1), ("0" * 64, "1"), ("0" * 64, True)],
)
def test_an_alias_that_names_no_artifact_is_refused(tmp_path, digest, version):
    alias = tmp_path / "cafe.json"
    alias.write_text(json.dumps({"domain": "cafe", "version": version, "digest": digest}))
    with pytest.raises(StoreError, match="names no artifact") as caught:
        read_live(tmp_path, "cafe")
    assert "hier run" in caught.value.fix


def test_an_alias_that_is_a_link_is_not_followed(tmp_path, outside):
    (outside / "cafe.json").write_text(json.dumps({"domain": "cafe", "version": 1, "digest": "0" * 64}))
    (tmp_path / "cafe.json").symlink_to(outside / "cafe.json")
    with pytest.raises(StoreError, match="link to another place"):
        read_live(tmp_path, "cafe")
    move_live(tmp_path, Live("cafe", 3, "1" * 64))
    assert read_live(tmp_path, "cafe").version == 3
    assert json.loads((outside / "cafe.json").read_bytes())["version"] == 1, "the link was replaced"


def test_a_lock_that_is_a_link_is_not_followed(tmp_path, outside):
    (tmp_path / ".cafe.lock").symlink_to(outside / "secret")
    with pytest.raises(StoreError, match="link to another place"):
        move_live(tmp_path, Live("cafe", 1, "0" * 64))
    assert (outside / "secret").read_bytes() == b"alpha"


def test_a_replaced_file_never_goes_through_a_link(tmp_path, outside):
    (tmp_path / "x.json").symlink_to(outside / "secret")
    replace_file(tmp_path / "x.json", b"new")
    assert (outside / "secret").read_bytes() == b"alpha"
    assert (tmp_path / "x.json").read_bytes() == b"new"
