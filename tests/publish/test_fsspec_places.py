"""What drivers of places say reaches people as an error that names the place, the cause and a fix."""

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from hier_dag.errors import StoreError, UsageError
from hier_dag.publish.fsspec_places import filesystem, place_errors


@pytest.mark.parametrize(
    ("raised", "says", "fix"),
    [
        (ImportError("Install s3fs to access S3"), "Install s3fs", "pip install -e '.[s3]'"),
        (ImportError("Please install gcsfs"), "Please install gcsfs", "install the driver"),
        (PermissionError(13, "Permission denied"), "refuses: Permission denied", "rights"),
        (RuntimeError("EndpointConnectionError"), "RuntimeError: EndpointConnectionError", "address"),
        (ValueError("Protocol not known: s33"), "Protocol not known", "address"),
    ],
)
def test_whatever_a_driver_raises_names_the_place_the_cause_and_a_fix(raised, says, fix):
    with pytest.raises(StoreError) as told, place_errors("s3://vectors/city"):
        raise raised
    assert told.value.file == "s3://vectors/city"
    assert says in told.value.message
    assert fix in told.value.fix
    assert told.value.__cause__ is raised


@pytest.mark.parametrize("raised", [UsageError("ours"), KeyboardInterrupt()])
def test_errors_of_ours_and_interruptions_pass_as_they_are(raised):
    with pytest.raises(type(raised)) as told, place_errors("s3://vectors/city"):
        raise raised
    assert told.value is raised


def test_a_root_is_a_folder_of_this_machine_or_a_file_system_and_the_path_on_it(tmp_path):
    for root in (tmp_path, str(tmp_path), tmp_path.as_uri()):
        assert filesystem(root) == (None, str(tmp_path))
    fs, path = filesystem("memory://vectors/city")
    assert isinstance(fs, MemoryFileSystem)
    assert path == "/vectors/city"
