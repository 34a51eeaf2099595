"""Copies of remote sets stay within a bound: the set used longest ago goes first, and no reader notices."""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import fs

from hier_dag.errors import UsageError
from hier_dag.publish.reader import open_set
from hier_dag.publish.reader.cache import prune

HOUR = 3600


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def opened(cafe, cache):
    """Opens a version through the cache."""

    def call(version):
        return open_set(str(cafe.root), "cafe", version=version, filesystem=fs.LocalFileSystem(), cache=cache)

    return call


def second(cafe):
    digest = cafe.write(cafe.users, cafe.items, [("u1", "a")], mark=2)
    cafe.publish(digest, 2)
    return digest


def hours_ago(folder, hours):
    at = time.time() - hours * HOUR
    os.utime(folder, (at, at))


def there(cache):
    return {p.name for p in cache.iterdir()}


def test_a_new_set_takes_the_place_of_the_old_one_and_who_holds_that_reads_on(
    cafe, cache, opened, monkeypatch
):
    monkeypatch.setenv("HIER_CACHE_BYTES", "1")
    newer = second(cafe)
    held = opened(1)
    before = held.recommend("u1", 3)
    hours_ago(cache / cafe.digest, 2)
    assert len(opened(2).recommend("u1", 3)) == 3
    assert there(cache) == {newer}
    assert held.recommend("u1", 3) == before
    assert held.user_vectors(["u01"]).shape == (1, 5), "what it had not read yet is fetched again"


def test_what_is_within_the_bound_or_was_used_within_the_hour_stays(cafe, cache, opened, monkeypatch):
    newer = second(cafe)
    opened(1).recommend("u1")
    hours_ago(cache / cafe.digest, 2)
    opened(2)
    assert there(cache) == {cafe.digest, newer}, "20 GB by default"
    monkeypatch.setenv("HIER_CACHE_BYTES", "0")
    opened(1)  # to open it is to use it
    opened(2).user_vectors(["u01"])  # fetched only now
    assert there(cache) == {cafe.digest, newer}


@pytest.mark.parametrize("said", ["much", "-1", "nan", "inf"])
def test_a_bound_that_is_no_number_is_told(said, opened, monkeypatch):
    monkeypatch.setenv("HIER_CACHE_BYTES", said)
    with pytest.raises(UsageError, match=r"HIER_CACHE_BYTES.*Fix: such as HIER_CACHE_BYTES=5e9"):
        opened(1)


@given(
    sets=st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 10)), max_size=8),
    at_most=st.integers(0, 6_000),
)
def test_no_more_goes_than_must_and_the_oldest_first(tmp_path_factory, sets, at_most):
    cache, now = tmp_path_factory.mktemp("cache"), time.time()
    for number, (size, hours) in enumerate(sets):
        folder = cache / f"{number:064x}"
        folder.mkdir()
        (folder / "f").write_bytes(b"x" * size)
        hours_ago(folder, hours + 0.5)
    (cache / "something else").mkdir()
    removed = prune(cache, at_most, now)
    left = [s for n, s in enumerate(sets) if (cache / f"{n:064x}").is_dir()]
    gone = [s for n, s in enumerate(sets) if not (cache / f"{n:064x}").is_dir()]
    assert removed == sum(size for size, _ in gone)
    assert all(hours > 0 for _, hours in gone), "used within the hour"
    assert sum(size for size, _ in left) <= at_most or all(hours == 0 for _, hours in left)
    assert not gone or max(h for _, h in left or [(0, 0)]) <= min(h for _, h in gone)
    if gone:
        youngest = min(gone, key=lambda s: s[1])[1]
        kept = sum(size for size, _ in left)
        assert any(h == youngest and kept + size > at_most for size, h in gone)
    assert (cache / "something else").is_dir()


def test_what_a_killed_process_was_removing_is_removed(cache):
    (cache / ".pruned-1").mkdir(parents=True)
    prune(cache, 10**9)
    assert there(cache) == set()
