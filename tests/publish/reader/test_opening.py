"""Which set is opened: the alias's newest version, one asked for by number, or a refusal with words."""

import json
import threading

import numpy as np
import pytest

from hier_dag.errors import SpaceError, StoreError, UsageError
from hier_dag.publish.reader import require_same_space, same_space

SPACE = "0123456789abcdef"


def of(written, value, n=6, dim=3, **facts):
    """A set all of whose vectors are one number."""
    users = {f"u{i}": np.full(dim, value) for i in range(n)}
    return written.write(users, {f"i{i}": np.full(dim, value) for i in range(n)}, **facts)


def test_the_newest_version_is_in_force_and_earlier_ones_can_be_asked_for(written):
    one, two = of(written, 1), of(written, 2)
    written.publish(one, 1)
    written.publish(two, 2)
    written.publish(one, 3, action="rollback", change="same", why="a dip")
    written.publish(two, 1, alias="canary")
    opened = written.open()
    assert (opened.version, opened.digest, opened.record.action) == (3, one, "rollback")
    assert opened.record.why == "a dip"
    assert written.open(version=2).digest == two
    assert written.open(alias="canary").digest == two
    with pytest.raises(UsageError, match=r"alias 'live' has no version 9.*one of 1 to 3"):
        written.open(version=9)
    with pytest.raises(UsageError, match="nothing is published for 'cafe' as 'beta'"):
        written.open(alias="beta")


def test_half_written_records_and_other_files_are_no_versions(written):
    written.publish(of(written, 1), 1)
    for name in (".000000000002.json.tmp", "2.json", "000000000002.json.bak", "latest"):
        written.record(1).with_name(name).write_text("{")
    assert written.open().version == 1


def test_a_held_set_never_changes_and_refreshing_gives_the_new_one(written):
    one, two = of(written, 1), of(written, 2)
    written.publish(one, 1)
    held = written.open()
    assert held.refresh() is held
    written.publish(two, 2)
    newer = held.refresh()
    assert (newer.version, newer.digest) == (2, two)
    assert held.user_vector("u0")[0] == 1
    assert newer.user_vector("u0")[0] == 2
    assert newer.refresh() is newer
    pinned = written.open(version=1)
    assert pinned.refresh() is pinned


def test_a_damaged_new_version_is_refused_while_the_held_one_goes_on(written):
    written.publish(of(written, 1), 1)
    held = written.open()
    two = of(written, 2)
    (written.folder(two) / "items.parquet").write_bytes(b"torn")
    written.publish(two, 2)
    with pytest.raises(StoreError, match="does not match its digest"):
        held.refresh()
    assert held.recommend("u0", 1)[0].score == 3


def test_readers_never_see_a_mix_while_the_alias_moves_and_moves_back(written):
    """A score is dim · value²: any mix of two sets would give another number than theirs."""
    sets = [of(written, 1), of(written, 2)]
    written.publish(sets[0], 1)
    versions, done, wrong = 40, threading.Event(), []

    def read():
        held = written.open()
        held_for = held.version
        while not done.is_set() or held.version < versions:
            value = 1 if held.digest == sets[0] else 2
            scores = {r.score for r in held.recommend("u3", 4)}
            scores |= set(held.recommend_many(["u0", "u5"], 3)["score"].to_pylist())
            if scores != {3.0 * value * value} or held.user_vector("u1")[0] != value:
                wrong.append((held.version, scores))
            held = held.refresh()
            if held.version < held_for:
                wrong.append(("back", held.version))
            held_for = held.version

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for version in range(2, versions + 1):
        written.publish(sets[version % 2], version)
    done.set()
    for reader in readers:
        reader.join(60)
        assert not reader.is_alive()
    assert wrong == []


def test_one_set_answers_many_threads_at_once(written):
    rng = np.random.default_rng(0)
    users = {f"u{i:03d}": v for i, v in enumerate(rng.normal(size=(90, 4)))}
    items = {f"i{i:03d}": v for i, v in enumerate(rng.normal(size=(80, 4)))}
    written.publish(written.write(users, items, [("u001", "i002")], index="hnsw", group=8))
    alone = written.open()
    expected = {user: alone.recommend(user, 5) for user in users}
    shared, wrong = written.open(), []

    def ask(seed):
        for user in np.random.default_rng(seed).permutation(list(users)).tolist():
            if shared.recommend(user, 5) != expected[user]:
                wrong.append(user)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


def test_an_unknown_domain_is_told_what_is_published(cafe):
    cafe.domain = "bar"
    with pytest.raises(UsageError, match=r"nothing is published for 'bar'; published: cafe"):
        cafe.open()
    cafe.root = cafe.root / "nowhere"
    with pytest.raises(UsageError, match="published: nothing yet"):
        cafe.open()


@pytest.mark.parametrize("domain", ["../cafe", "a/b", "..", "", "é", "x" * 101])
def test_what_no_domain_can_be_called_is_refused(cafe, domain):
    cafe.domain = domain
    with pytest.raises(UsageError, match="no domain can be called"):
        cafe.open()
    cafe.domain = "cafe"
    with pytest.raises(UsageError, match="no alias can be called"):
        cafe.open(alias=domain)


def test_a_set_of_another_space_or_dimension_than_asked_for_is_refused(cafe):
    assert cafe.open(dim=5, space=SPACE).version == 1
    with pytest.raises(
        SpaceError, match=r"space 0123456789abcdef and dimension 5; asked for was dimension 64"
    ):
        cafe.open(dim=64)
    with pytest.raises(SpaceError, match=r"asked for was space ffffffffffffffff and dimension 5"):
        cafe.open(dim=5, space="f" * 16)


def test_refreshing_keeps_to_the_space_that_was_asked_for(written):
    written.publish(of(written, 1), 1)
    held = written.open(space=SPACE)
    written.publish(of(written, 2, space="f" * 16), 2, change="breaking")
    with pytest.raises(SpaceError, match="asked for was space 0123456789abcdef"):
        held.refresh()


def test_sets_of_two_spaces_are_not_used_together(written):
    for version, facts in enumerate(({}, {}, {"space": "f" * 16}, {"format": 1, "index": "none"}), 1):
        written.publish(of(written, version, **facts), version)
    one, two, other, unnamed = (written.open(version=v) for v in range(1, 5))
    assert same_space(one, two)
    assert same_space(unnamed, unnamed)
    require_same_space(one, two, one)
    for stranger in (other, unnamed):
        assert not same_space(one, stranger)
        with pytest.raises(
            SpaceError, match=r"cafe \(live 1\) has space 0123456789abcdef .*do not go together"
        ):
            require_same_space(one, two, stranger)


def test_a_record_that_tells_another_space_than_the_set_is_refused(written):
    written.publish(of(written, 1), 1, space="f" * 16)
    with pytest.raises(StoreError, match="the record says space ffffffffffffffff, the set 0123456789abcdef"):
        written.open()


@pytest.mark.parametrize("part", ["live/cafe", "live/cafe/live", "live/cafe/live/000000000001.json"])
def test_records_behind_links_are_refused(cafe, tmp_path, part):
    (cafe.root / part).rename(tmp_path / "elsewhere")
    (cafe.root / part).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="link to another place"):
        cafe.open()


@pytest.mark.parametrize("name", ["", "manifest.json", "items.parquet", "users.parquet"])
def test_files_behind_links_are_refused(cafe, tmp_path, name):
    there = cafe.folder(cafe.digest) / name
    there.rename(tmp_path / "elsewhere")
    there.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="link to another place"):
        cafe.open().recommend("u01")


def test_store_and_live_may_lie_on_another_disk(cafe, tmp_path):
    for name in ("store", "live"):
        (cafe.root / name).rename(tmp_path / name)
        (cafe.root / name).symlink_to(tmp_path / name)
    assert cafe.open().recommend("u01", 1)


def test_a_platform_of_the_first_release_is_read_by_its_alias_file(written):
    digest = of(written, 2, format=1, index="none")
    (written.root / "live").mkdir()
    alias = written.root / "live" / "cafe.json"
    alias.write_text(json.dumps({"domain": "cafe", "version": 4, "digest": digest}))
    opened = written.open()
    assert (opened.version, opened.space, opened.recommend("u0", 1)[0].score) == (4, None, 12)
    with pytest.raises(SpaceError, match="an unnamed space and dimension 3"):
        written.open(space=SPACE)
    with pytest.raises(UsageError, match="published: cafe"):
        type(written)(written.root, "bar").open()
    written.publish(of(written, 1), 5)
    assert opened.refresh().version == 5


@pytest.mark.parametrize(
    "content", ["", "{}", "null", "[1]", '{"domain": "bar", "version": 1, "digest": "x"}',
                '{"domain": "cafe", "version": true, "digest": "' + "0" * 64 + '"}',
                '{"domain": "bar", "version": 1, "digest": "' + "0" * 64 + '"}'],
)  # fmt: skip
def test_a_damaged_alias_file_of_the_first_release_is_refused(written, content):
    (written.root / "live").mkdir(parents=True)
    (written.root / "live" / "cafe.json").write_text(content)
    with pytest.raises(StoreError):
        written.open()
