"""What a publication leaves survives a power cut: all is flushed, in time, with the folder that names it."""

from pathlib import PurePosixPath

import pytest

from benchmarks.faults.failing_disk import Disk, watched
from benchmarks.faults.published_sets import Site


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Kind and path of every call of the first publication at an empty place with one copy, in order."""
    root = tmp_path_factory.mktemp("place")
    site = Site(root / "town", (str(root / "copy"),))
    with watched(Disk(root)) as disk:
        site.publish(site.workshop(), 1)
    return [(call.kind, PurePosixPath(call.path)) for call in disk.calls]


def last(calls, kind, path):
    return max((n for n, call in enumerate(calls) if call == (kind, path)), default=-1)


def renames(calls):
    return [(n, path) for n, (kind, path) in enumerate(calls) if kind == "rename"]


def test_every_file_is_flushed_after_its_last_write_and_before_it_gets_its_name(calls):
    named = [n for n, _ in renames(calls)]
    assert len(named) == 4  # set and record, at home and at the copy
    written = {path for kind, path in calls if kind == "write"}
    assert len(written) == 2 * (6 + 1) + 1  # six files of the set and a record, twice; the note of its checks
    for path in written:
        at = last(calls, "write", path)
        flushed = last(calls, "fsync", path)
        assert at < flushed < min(n for n in named if n > at), path


def test_every_new_name_is_flushed_with_its_folder(calls):
    new = [*renames(calls), *((n, path) for n, (kind, path) in enumerate(calls) if kind == "mkdir")]
    kept = [(n, path) for n, path in new if "staging" not in path.parts[:-1] and len(path.parts) > 1]
    assert len(kept) > 10
    for n, path in kept:
        assert last(calls, "fsync", path.parent) > n, path


def test_a_place_is_told_of_a_set_only_once_it_has_it(calls):
    for place in ("town", "copy"):
        order = [path.parts[1] for _, path in renames(calls) if path.parts[0] == place]
        assert order == ["store", "live"]
