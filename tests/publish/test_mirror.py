"""A set is copied to an object store whole, checked, and with errors that say what to do."""

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from hier_dag.errors import StoreError
from hier_dag.publish.mirror import copy_set
from tests.retention.conftest import Town

KIND = "publish/embeddings"


@pytest.fixture
def artifact(tmp_path):
    return Town(tmp_path).commit("vectors", KIND, "cafe")


@pytest.fixture
def place(tmp_path):
    yield f"memory://{tmp_path.name}"
    fsspec.filesystem("memory").rm(f"/{tmp_path.name}", recursive=True)


def found(place):
    fs = fsspec.filesystem("memory")
    root = place.removeprefix("memory:/")
    return {name.rsplit("/", 1)[1]: fs.cat_file(name) for name in fs.find(root)}


def test_a_copy_holds_the_same_bytes_and_a_second_time_sends_the_manifest_alone(artifact, place):
    sent = []
    assert copy_set(artifact, place, lambda name, _: sent.append(name)) == sum(
        p.stat().st_size for p in artifact.path.iterdir()
    )
    assert sent == ["f", "manifest.json"]
    assert found(place) == {p.name: p.read_bytes() for p in artifact.path.iterdir()}
    copy_set(artifact, place, lambda name, _: sent.append(name))
    assert sent == ["f", "manifest.json", "manifest.json"]


def test_a_set_that_is_damaged_here_is_not_sent(artifact, place):
    fsspec.filesystem("memory").makedirs(place.removeprefix("memory:/"), exist_ok=True)
    (artifact.path / "f").write_text("VECTORS")  # of the same size
    with pytest.raises(StoreError, match="does not match its digest") as told:
        copy_set(artifact, place)
    assert told.value.file == str(artifact.path / "f")
    assert found(place) == {}


def test_where_every_file_is_there_already_none_is_read(artifact, place):
    copy_set(artifact, place)
    (artifact.path / "f").unlink()
    copy_set(artifact, place)
    assert found(place)["f"] == b"vectors"


class Down(MemoryFileSystem):
    protocol = "down"

    def info(self, path, **options):
        raise RuntimeError("EndpointConnectionError")


class ReadOnly(MemoryFileSystem):
    protocol = "readonly"

    def put_file(self, *paths, **options):
        raise PermissionError(13, "Forbidden")


@pytest.mark.parametrize(
    ("driver", "says"), [(Down, "EndpointConnectionError"), (ReadOnly, "refuses: Forbidden")]
)
def test_a_place_that_refuses_is_named_with_the_cause_and_a_fix(artifact, driver, says):
    fsspec.register_implementation(driver.protocol, driver, clobber=True)
    with pytest.raises(StoreError, match=says) as told:
        copy_set(artifact, f"{driver.protocol}://vectors/city")
    assert "vectors/city/store/artifacts" in told.value.file
    assert "run again" in told.value.fix


def test_a_driver_that_is_not_installed_is_said_how_to_install(artifact, monkeypatch):
    def lacking(root):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", lacking)
    with pytest.raises(StoreError, match="Install s3fs") as told:
        copy_set(artifact, "s3://vectors/city")
    assert told.value.file == "s3://vectors/city"
    assert "pip install -e '.[s3]'" in told.value.fix
