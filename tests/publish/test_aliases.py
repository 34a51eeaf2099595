"""Records of versions: written once, whole, never over another; a crash's gap is filled from the registry."""

import os
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest

from hier_dag.errors import StoreError
from hier_dag.publish.aliases import AliasRecords, record_of
from hier_dag.publish.reader.places import LocalPlace
from hier_dag.publish.reader.records import newest, versions
from hier_dag.registry import AliasRow


def row(version, digest="a"):
    facts = {"latency": {"p50_ms": 0.2}}
    written = datetime(2026, 5, 4, 12, tzinfo=UTC)
    return AliasRow(
        "cafe", "live", version, digest * 64, "publish", "same", "0123456789abcdef", facts, "run", "me",
        "a launch", written,
    )  # fmt: skip


@pytest.fixture(params=["folder", "object store"])
def place(request, tmp_path):
    """A root to write to, and how to list the names below it."""
    if request.param == "folder":
        return str(tmp_path), lambda: {p.name for p in (tmp_path / "live" / "cafe" / "live").iterdir()}
    root = f"memory://{tmp_path.name}"
    fs = fsspec.filesystem("memory")
    return root, lambda: {Path(p).name for p in fs.ls(f"/{tmp_path.name}/live/cafe/live", detail=False)}


def test_what_is_written_is_what_a_reader_finds(tmp_path):
    AliasRecords(tmp_path).write(record_of(row(1)))
    AliasRecords(tmp_path).write(record_of(row(2, "b")))
    place = LocalPlace(tmp_path)
    found = newest(place, "cafe")
    assert (found.version, found.digest, found.who, found.why) == (2, "b" * 64, "me", "a launch")
    assert found.facts == {"latency": {"p50_ms": 0.2}}
    assert versions(place, "cafe") == [1, 2]


def test_a_version_is_written_once_and_nothing_else_is_left(place):
    root, names = place
    for _ in range(2):
        AliasRecords(root).write(record_of(row(1)))
    with pytest.raises(StoreError, match="version 1 of live is another one here") as told:
        AliasRecords(root).write(record_of(row(1, "b")))
    assert told.value.domain == "cafe"
    assert names() == {"000000000001.json"}


def test_what_a_crash_left_out_is_written_again(place):
    root, names = place
    rows = [row(n, "abc"[n % 3]) for n in (4, 3, 2, 1)]
    records = AliasRecords(root)
    records.write(record_of(rows[3]))
    records.write(record_of(rows[1]))
    assert records.lacks(rows[0])
    assert records.catch_up(rows) == [2, 4]
    assert records.catch_up(rows) == []
    assert not records.lacks(rows[0])
    assert names() == {f"{n:012d}.json" for n in range(1, 5)}


def test_a_damaged_newest_record_is_replaced(tmp_path):
    records, rows = AliasRecords(tmp_path), [row(1)]
    records.catch_up(rows)
    path = tmp_path / "live" / "cafe" / "live" / "000000000001.json"
    path.write_bytes(path.read_bytes()[:-3])
    assert records.lacks(rows[0])
    assert records.catch_up(rows) == [1]
    assert newest(LocalPlace(tmp_path), "cafe").version == 1


@pytest.mark.parametrize("part", ["cafe", "cafe/live"])
def test_a_folder_of_records_that_is_a_link_is_not_written_through(tmp_path, part):
    outside = tmp_path / "outside"
    outside.mkdir()
    link = tmp_path / "live" / part
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    records = AliasRecords(tmp_path)
    for write in (lambda: records.write(record_of(row(1))), lambda: records.catch_up([row(1)])):
        with pytest.raises(StoreError, match="a link stands where a version's record belongs"):
            write()
    assert not list(outside.iterdir())


def test_records_may_lie_on_another_disk(tmp_path):
    elsewhere = tmp_path / "disk"
    elsewhere.mkdir()
    (tmp_path / "live").symlink_to(elsewhere)
    AliasRecords(tmp_path).catch_up([row(1)])
    assert newest(LocalPlace(tmp_path), "cafe").version == 1


def test_a_link_is_neither_followed_nor_believed(tmp_path):
    folder = tmp_path / "live" / "cafe" / "live"
    folder.mkdir(parents=True)
    outside = tmp_path / "outside.json"
    outside.write_text("theirs")
    os.symlink(outside, folder / "000000000001.json")
    records = AliasRecords(tmp_path)
    with pytest.raises(StoreError, match="a link stands where a version's record belongs"):
        records.write(record_of(row(1)))
    assert records.catch_up([row(1)]) == [1]
    assert outside.read_text() == "theirs"
    assert not (folder / "000000000001.json").is_symlink()
