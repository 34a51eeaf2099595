"""A disk that is full when the note of an artifact is written is told; the same again succeeds."""

import pytest

from benchmarks.faults.failing_disk import EIO, ENOSPC, Disk, watched
from benchmarks.faults.published_sets import Site
from hier_dag.pipeline.outbox import PENDING, noted
from hier_dag.store.failures import StorageError


@pytest.mark.parametrize("fault", [ENOSPC, EIO])
def test_a_note_that_cannot_be_written_is_told_with_its_file(tmp_path, fault):
    with watched(Disk(tmp_path / "first")) as disk:
        site = Site(tmp_path / "first" / "town")
        site.make(site.workshop(), 1)
    (call,) = {c for c in disk.calls if c.kind == "write" and f"/{PENDING}/" in c.path}
    site = Site(tmp_path / "second" / "town")
    with (
        watched(Disk(tmp_path / "second", call, fault)),
        pytest.raises(StorageError, match="cannot be written") as told,
    ):
        site.make(site.workshop(), 1)
    assert str(site.home / "store" / PENDING) in told.value.file
    assert not site.make(site.workshop(), 1).reused
    assert not noted(site.home / "store").held
