"""Version records at object stores: what is in force must be there, and nothing that nobody moved."""

import uuid

import fsspec
import pytest

from hier_dag.publish.aliases import ANCHOR, AliasRecords, record_of
from hier_dag.reconcile.versions import compare
from hier_dag.registry import Move, Registry
from tests.denied import denied


@pytest.fixture
def registry(tmp_path):
    return Registry(f"sqlite:///{tmp_path / 'r.db'}")


@pytest.fixture
def place():
    root = f"memory://{uuid.uuid4().hex}"
    yield root
    fsspec.filesystem("memory").rm(root, recursive=True)


def published(registry, *places, digests):
    """Moves the alias to sets that have no files, and tells places of each move."""
    for digest in digests:
        row = registry.move_alias(Move("cafe", "live", digest * 64, "r", "w", change="same", space="0" * 16))
        for root in places:
            AliasRecords(root).write(record_of(row))


def test_a_copy_needs_the_version_in_force_alone_and_each_record_anchors_the_chain(registry, tmp_path, place):
    published(registry, tmp_path, digests="ab")
    published(registry, tmp_path, place, digests="c")
    found = compare(registry, tmp_path, [place])
    assert (found.records, found.differences) == (4, [])
    events = {e.seq: e.hash for e in registry.events()}
    assert all(events[a.seq] == a.hash for a in found.anchors)
    assert len(found.anchors) == 4


def test_what_a_copy_lacks_or_nobody_moved_is_told(registry, tmp_path, place):
    published(registry, tmp_path, place, digests="a")
    published(registry, tmp_path, digests="b")
    made_up = record_of(registry.alias("cafe"))
    fields = {
        **made_up.__dict__,
        "version": 9,
        "digest": "e" * 64,
        "facts": {ANCHOR: {"event": 1, "hash": "x"}},
    }
    AliasRecords(place).write(type(made_up)(**fields))
    lacking, foreign = compare(registry, tmp_path, [place]).differences
    assert (lacking.place, lacking.version, lacking.found) == (place, 2, "no record")
    assert (foreign.version, foreign.expected) == (9, "no such version on record")
    assert "set eeeeeeeeeeee" in foreign.found


def test_a_place_that_cannot_be_reached_is_told_beside_the_others(registry, tmp_path):
    published(registry, tmp_path, digests="a")
    (told,) = compare(registry, tmp_path, ["nosuchdriver://bucket"]).differences
    assert (told.place, told.version) == ("nosuchdriver://bucket", 0)


def test_a_record_that_says_something_else_is_told_with_what_differs(registry, tmp_path):
    published(registry, tmp_path, digests="a")
    row = registry.alias("cafe")
    (tmp_path / "live" / "cafe" / "live" / "000000000001.json").unlink()
    AliasRecords(tmp_path).write(type(record_of(row))(**{**record_of(row).__dict__, "why": "another reason"}))
    (told,) = compare(registry, tmp_path, []).differences
    assert told.found == "why is 'another reason'"


def test_a_domain_whose_records_cannot_be_read_hides_no_other(registry, tmp_path):
    for domain in ("bar", "cafe", "deli"):
        row = registry.move_alias(Move(domain, "live", "a" * 64, "r", "w", change="same", space="0" * 16))
        AliasRecords(tmp_path).write(record_of(row))
    (tmp_path / "live" / "deli" / "live" / "000000000001.json").unlink()
    with denied(tmp_path / "live" / "cafe"):
        told = compare(registry, tmp_path, []).differences
    assert [(d.domain, d.file.rpartition("/")[2]) for d in told] == [
        ("", told[0].file.rpartition("/")[2]),
        ("deli", "000000000001.json"),
    ]
    assert told[0].file.startswith(str(tmp_path / "live" / "cafe"))
    assert "Permission denied" in told[0].found
