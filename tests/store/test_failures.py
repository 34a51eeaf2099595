"""A disk that is full or broken is told as an error of ours: which file, and what to do."""

import errno
import os

import pytest

from hier_dag.durable import replace_file, sync_file
from hier_dag.errors import ContractError, Crashed, SourceError, StoreError, error_of
from hier_dag.store.failures import StorageError, disk_told, told


def failing(*_):
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_flush_that_fails_names_the_file(tmp_path, monkeypatch):
    file = tmp_path / "f"
    file.write_text("x")
    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="Input/output error") as caught:
        sync_file(file)
    assert caught.value.filename == str(file)
    with pytest.raises(OSError, match=r"live\.json"):
        replace_file(tmp_path / "live.json", b"new")


def test_the_file_is_the_one_that_the_system_names(tmp_path):
    with (
        pytest.raises(StoreError, match=r"file .*/gone/f: .*No such file.* Fix: free space") as caught,
        told("x"),
    ):
        (tmp_path / "gone" / "f").write_text("")
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_of_a_copy_it_is_the_one_that_was_written(tmp_path):
    with pytest.raises(StoreError) as caught, told("x"):
        os.rename(tmp_path / "a", tmp_path / "b")
    assert caught.value.file == str(tmp_path / "b")


def test_where_the_system_names_none_it_is_the_one_at_hand():
    with pytest.raises(StoreError) as caught, told("/store/f"):
        failing()
    assert caught.value.file == "/store/f"


def test_other_errors_pass():
    with pytest.raises(StoreError, match="mine"), told("x"):
        raise StoreError("mine")


def test_a_full_disk_is_told_with_what_is_free_and_outlives_a_process(tmp_path):
    said = r"No space left .*free there: [\d,.]+ MB, [\d,]+ file"
    with pytest.raises(StorageError, match=said) as caught, told(tmp_path / "gone" / "f"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "hier gc" in caught.value.fix
    assert type(error_of(caught.value.as_dict())) is StorageError


def duckdb_says():
    raise RuntimeError('Could not write file "/scratch/x": No space left on device')


def a_source_reader_says():
    try:
        duckdb_says()
    except RuntimeError as error:
        raise SourceError("the file is no Parquet", file="day.parquet") from error


def a_worker_says():
    raise Crashed(f"OSError: [Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}: '/home/x'")


@pytest.mark.parametrize("fault", [duckdb_says, a_source_reader_says, a_worker_says, failing])
def test_a_disk_is_known_as_the_cause_however_it_is_told(fault, tmp_path):
    with pytest.raises(StorageError, match="the disk refuses") as caught, disk_told(tmp_path):
        fault()
    assert caught.value.file == str(tmp_path)


def a_raw_file_that_its_own_disk_lost():
    try:
        failing()
    except OSError as error:
        raise SourceError("the file cannot be read", file="day.parquet") from error


def bad_rows():
    raise ContractError("rows were lost")


def a_bug():
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "x")


@pytest.mark.parametrize("fault", [a_raw_file_that_its_own_disk_lost, bad_rows, a_bug])
def test_what_is_no_fault_of_the_disk_passes_as_it_is(fault, tmp_path):
    with pytest.raises((SourceError, ContractError, FileNotFoundError)) as caught, disk_told(tmp_path):
        fault()
    assert not isinstance(caught.value, StorageError)
