"""A version record is read whole or refused: it carries its own digest, since no manifest vouches for it."""

import dataclasses
import hashlib
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hier_dag.errors import StoreError
from hier_dag.publish.reader import VersionRecord
from hier_dag.publish.reader.places import LocalPlace
from hier_dag.publish.reader.records import LARGEST, newest, published_domains, record_path, versions


def signed(content):
    """The canonical bytes of a record with whatever fields, and the digest that fits them."""

    def dump(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    return dump({**content, "sha256": hashlib.sha256(dump(content)).hexdigest()})


def plain(record):
    return {"format": 1, **dataclasses.asdict(record)}


def test_a_record_comes_back_as_it_was_written(record):
    for one in (
        record(),
        record(space=None, why='ünïcode "quotes"\n', facts={"p99_ms": 2.5, "of": ["a", None]}),
    ):
        assert VersionRecord.from_bytes(one.to_bytes(), "x") == one
    assert record().to_bytes() == signed(plain(record()))


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_any_damaged_byte_is_noticed(at, flip):
    record = VersionRecord(
        "cafe", "live", 7, "0" * 64, "publish", "same", None, "ann", "why not", "2026", {"a": 1}
    )
    data = bytearray(record.to_bytes())
    data[at % len(data)] ^= flip
    with pytest.raises(StoreError):
        VersionRecord.from_bytes(bytes(data), "x")
    with pytest.raises(StoreError):
        VersionRecord.from_bytes(bytes(data)[: at % len(data)], "x")


@pytest.mark.parametrize(
    ("field", "value"),
    [("domain", "../x"), ("alias", ""), ("version", 0), ("version", True), ("version", "1"),
     ("version", 10**12), ("digest", "x"), ("digest", "0" * 63 + "A"), ("action", "delete"),
     ("change", "better"), ("space", "0"),
     ("who", None), ("why", 3), ("created", None), ("facts", []), ("facts", None)],
)  # fmt: skip
def test_a_field_that_is_no_such_thing_is_refused_by_reader_and_writer(record, field, value):
    with pytest.raises(StoreError, match=f"{field} is"):
        VersionRecord.from_bytes(signed(plain(record()) | {field: value}), "x")
    with pytest.raises(StoreError, match=f"{field} is"):
        record(**{field: value}).to_bytes()


def test_a_record_of_a_newer_format_is_refused_as_such(record):
    with pytest.raises(StoreError, match=r"format 2; this reader knows 1.*or a newer one"):
        VersionRecord.from_bytes(signed(plain(record()) | {"format": 2, "more": 1}), "x")


def test_a_record_with_fields_missing_or_more_is_refused(record):
    content = plain(record())
    for changed in ({**content, "more": 1}, {k: v for k, v in content.items() if k != "who"}):
        with pytest.raises(StoreError, match="its fields are"):
            VersionRecord.from_bytes(signed(changed), "x")


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b"\x80\x04pickle", b"[" * 40_000, b'{"format": 1}', b"{}"]
)
def test_what_is_no_record_is_refused(data):
    with pytest.raises(StoreError):
        VersionRecord.from_bytes(data, "x")


def test_a_record_that_is_too_large_is_neither_written_nor_read(record, tmp_path):
    large = record(version=1, why="x" * LARGEST)
    with pytest.raises(StoreError, match="over 65,536 bytes"):
        large.to_bytes()
    path = tmp_path / record_path("cafe", "live", 1)
    path.parent.mkdir(parents=True)
    path.write_bytes(signed(plain(large)))
    with pytest.raises(StoreError, match="over 65,536 bytes"):
        newest(LocalPlace(tmp_path), "cafe")


def test_a_record_in_the_place_of_another_is_refused(record, tmp_path):
    place = LocalPlace(tmp_path)
    for other in ({"version": 8}, {"domain": "bar"}, {"alias": "canary"}):
        path = tmp_path / record_path("cafe", "live", 7)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(record(**other).to_bytes())
        with pytest.raises(StoreError, match="the record is of version"):
            newest(place, "cafe")


def test_versions_are_listed_as_numbers(record, tmp_path):
    place = LocalPlace(tmp_path)
    assert newest(place, "cafe") is None
    assert published_domains(place) == []
    for version in (9, 10, 2):
        path = tmp_path / record_path("cafe", "live", version)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(record(version=version).to_bytes())
    assert versions(place, "cafe") == [2, 9, 10]
    assert newest(place, "cafe").version == 10
    assert published_domains(place) == ["cafe"]


def test_a_link_among_the_records_hides_no_other_domain(record, tmp_path):
    path = tmp_path / record_path("cafe", "live", 7)
    path.parent.mkdir(parents=True)
    path.write_bytes(record().to_bytes())
    (tmp_path / "live" / "bar").symlink_to(tmp_path)
    assert published_domains(LocalPlace(tmp_path)) == ["cafe"]


def test_a_pipe_in_the_place_of_a_record_is_refused_not_waited_for(tmp_path):
    path = tmp_path / record_path("cafe", "live", 1)
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(StoreError, match="not a plain file"):
        newest(LocalPlace(tmp_path), "cafe")
