"""Names and links that would lead out of the store are refused, and nothing is written elsewhere."""

import json
import os
from dataclasses import asdict

import pytest

from hier_dag.digest import canonical_json, digest_of
from hier_dag.durable import replace_file
from hier_dag.errors import StoreError, UsageError
from hier_dag.publish.aliases import AliasRecords
from hier_dag.publish.reader import VersionRecord, open_set
from hier_dag.publish.reader.places import LocalPlace
from hier_dag.publish.reader.records import newest
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


FIRST = "000000000001.json"


def record(domain="cafe", alias="live", version=1, digest="0" * 64):
    return VersionRecord(
        domain, alias, version, digest, "publish", "same", "0" * 16, "me", "a launch", "2026-01-01T00:00:00Z"
    )


def told(**changes):
    """The bytes of a record that vouches for itself, whatever it says."""
    content = {"format": 1, **asdict(record()), **changes}
    return canonical_json({**content, "sha256": digest_of(content)})


def written(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def below(folder):
    """Every file below a folder with its bytes, and every link."""
    return {
        p: p.readlink() if p.is_symlink() else p.read_bytes()
        for p in folder.rglob("*")
        if p.is_symlink() or p.is_file()
    }


LEADING_AWAY = [
    "../outside/x", "../../outside/x", "/etc/passwd", "a/b", "..", "", "a\n", "é", "x" * 101,
]  # fmt: skip


@pytest.mark.parametrize("name", LEADING_AWAY)
@pytest.mark.parametrize("role", ["domain", "alias"])
def test_a_record_whose_name_leads_elsewhere_is_neither_read_nor_written(tmp_path, outside, role, name):
    (tmp_path / "live" / "cafe").mkdir(parents=True)
    for there in ("x/live", "x"):
        written(outside / there / FIRST, told(**{role: name}))
    before = below(tmp_path)
    asked = {"domain": "cafe", "alias": "live", role: name}
    with pytest.raises(UsageError, match=f"no {role} can be called"):
        open_set(tmp_path, **asked)
    with pytest.raises(UsageError, match=f"no {role} can be called"):
        open_set(tmp_path, **asked, version=1)
    with pytest.raises(StoreError, match=f"no version record: {role} is"):
        AliasRecords(tmp_path).write(record(**asked))
    assert below(tmp_path) == before


NO_ARTIFACT = [
    ({"digest": "../../../../outside"}, "digest"),
    ({"digest": ""}, "digest"),
    ({"digest": 7}, "digest"),
    ({"digest": None}, "digest"),
    ({"version": "1"}, "version"),
    ({"version": True}, "version"),
]


@pytest.mark.parametrize(("changes", "field"), NO_ARTIFACT)
def test_a_record_that_names_no_artifact_is_refused(tmp_path, changes, field):
    file = written(tmp_path / "live" / "cafe" / "live" / FIRST, told(**changes))
    with pytest.raises(StoreError, match=f"no version record: {field} is") as caught:
        open_set(tmp_path, "cafe")
    assert caught.value.file == str(file)
    assert "publish again" in caught.value.fix


@pytest.mark.parametrize(("changes", "field"), NO_ARTIFACT)
def test_an_older_alias_file_that_names_no_artifact_is_refused(tmp_path, changes, field):
    alias = {"domain": "cafe", "version": 1, "digest": "0" * 64, **changes}
    file = written(tmp_path / "live" / "cafe.json", json.dumps(alias).encode())
    with pytest.raises(StoreError, match="the alias file is damaged") as caught:
        open_set(tmp_path, "cafe")
    assert caught.value.file == str(file)
    assert "hier run" in caught.value.fix


@pytest.mark.parametrize("there", ["cafe", "cafe/live", f"cafe/live/{FIRST}"])
def test_neither_a_record_nor_a_folder_above_it_can_be_a_link(tmp_path, outside, there):
    AliasRecords(tmp_path).write(record())
    (tmp_path / "live" / there).rename(outside / "moved")
    (tmp_path / "live" / there).symlink_to(outside / "moved")
    before = below(tmp_path)
    with pytest.raises(StoreError, match="link to another place"):
        open_set(tmp_path, "cafe")
    with pytest.raises(StoreError, match="a link stands"):
        AliasRecords(tmp_path).write(record(digest="1" * 64))
    assert below(tmp_path) == before


def test_an_older_alias_file_that_is_a_link_is_not_followed(tmp_path, outside):
    alias = canonical_json({"domain": "cafe", "version": 1, "digest": "0" * 64})
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "cafe.json").symlink_to(written(outside / "cafe.json", alias))
    with pytest.raises(StoreError, match="link to another place"):
        open_set(tmp_path, "cafe")
    AliasRecords(tmp_path).write(record(version=3))
    assert newest(LocalPlace(tmp_path), "cafe") == record(version=3), "it is not needed any more"
    assert (outside / "cafe.json").read_bytes() == alias


def test_a_replaced_file_never_goes_through_a_link(tmp_path, outside):
    (tmp_path / "x.json").symlink_to(outside / "secret")
    replace_file(tmp_path / "x.json", b"new")
    assert (outside / "secret").read_bytes() == b"alpha"
    assert (tmp_path / "x.json").read_bytes() == b"new"


@pytest.mark.parametrize("level", ["artifacts", "artifacts/kg", "artifacts/kg/graph"])
def test_no_folder_on_the_way_to_an_artifact_can_be_a_link(tmp_path, outside, level):
    store = ArtifactStore(tmp_path / "store")
    artifact = commit(store)
    (store.root / level).rename(outside / "moved")
    (store.root / level).symlink_to(outside / "moved")
    before = sorted(outside.rglob("*"))
    with pytest.raises(StoreError, match="link out of the store"):
        store.open("kg/graph", artifact.digest)
    with pytest.raises(StoreError, match="link out of the store"):
        commit(store, lambda staged: (staged / "other").write_bytes(b""))
    assert sorted(outside.rglob("*")) == before


def test_an_artifact_does_not_open_under_another_kind(tmp_path):
    store = ArtifactStore(tmp_path / "store")
    artifact = commit(store)
    elsewhere = store.path_of("kg/other", artifact.digest)
    elsewhere.parent.mkdir()
    artifact.path.rename(elsewhere)
    with pytest.raises(StoreError, match="is of kind kg/graph, not kg/other") as told:
        store.open("kg/other", artifact.digest)
    assert str(artifact.path) in told.value.fix
