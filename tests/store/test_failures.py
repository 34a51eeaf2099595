"""A disk that is full or broken is told as an error of ours: which file, and what to do."""

import errno
import os

import pytest

from hier_dag.durable import replace_file, sync_file
from hier_dag.errors import StoreError
from hier_dag.store.failures import told


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
