"""Users who are erased are in no set in force at once, and no set that holds them comes back."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.faults.published_sets import DOMAIN, MODEL, request
from hier_dag.erasure.receipt import read_receipt, receipt_file
from hier_dag.erasure.status import recorded
from hier_dag.errors import ConfigError, HierError, RegistryError, StoreError, UsageError
from hier_dag.pipeline.publication import go_live, name_set, roll_back
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.publish.reader import open_set
from hier_dag.registry import Move, Registry
from tests.publish.written import pairs, vectors, write


def knows(vectors, user):
    """Whether a set has a vector of a user."""
    try:
        return len(vectors.user_vector(user)) > 0
    except UsageError:
        return False


def test_every_alias_moves_to_a_set_without_them_and_nothing_else_changes(place):
    place.publish(1)
    place.publish(2, "canary")
    before = {alias: open_set(place.home, DOMAIN, alias) for alias in ("live", "canary")}
    kept = {alias: (s.user_vector("u0009"), s.recommend("u0009", 5)) for alias, s in before.items()}
    done = place.forget("u0007", "u0011")
    for alias, old in before.items():
        now = open_set(place.home, DOMAIN, alias)
        assert now.version == old.version + 1
        assert [user for user in ("u0007", "u0011") if knows(now, user)] == []
        np.testing.assert_array_equal(now.user_vector("u0009"), kept[alias][0])
        assert now.recommend("u0009", 5) == kept[alias][1]
        facts = {k: v for k, v in now.facts.items() if k not in ("users", "user_origins", "norms")}
        assert facts == {k: old.facts[k] for k in facts}
        assert (now.facts["users"], sum(now.facts["user_origins"].values())) == (38, 38)
    assert [(v["alias"], v["after"]["version"]) for v in done.receipt.versions] == [
        ("canary", 2), ("live", 2),
    ]  # fmt: skip
    assert place.holding("u0007", "u0011") == []


def test_the_figures_of_the_new_set_are_those_of_its_rows(place):
    place.publish(1)
    place.forget("u0000")
    row = place.registry.alias(DOMAIN)
    made = place.workshop.store.open(PUBLISHED, row.digest)
    table = pq.read_table(made.file("users.parquet"))
    facts = made.json("set.json")
    norms = table["norm"].to_numpy()
    assert facts["users"] == table.num_rows == 39
    assert facts["norms"]["users"] == pytest.approx(
        {"min": norms.min(), "median": np.median(norms), "max": norms.max()}
    )
    assert made.manifest.params["suppressed"] == 1
    assert made.manifest.summary == facts
    assert (row.change, row.action) == ("same", "publish")


def test_a_table_keeps_its_layout(place):
    place.publish(1)
    old = place.workshop.store.open(PUBLISHED, place.registry.alias(DOMAIN).digest)
    layout = {name: _layout(old.file(name)) for name in ("users.parquet", "seen.parquet")}
    place.forget("u0003", keep_old=True)
    new = place.workshop.store.open(PUBLISHED, place.registry.alias(DOMAIN).digest)
    assert {name: _layout(new.file(name)) for name in layout} == layout
    assert new.file("items.faiss").read_bytes() == old.file("items.faiss").read_bytes()


def _layout(file):
    group = pq.read_metadata(file).row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    return pq.read_schema(file), [
        (c.path_in_schema, c.compression, c.is_stats_set, c.has_dictionary_page) for c in columns
    ]


@pytest.mark.parametrize("keep_old", [False, True])
def test_no_roll_back_and_no_alias_leads_to_a_set_that_holds_them(place, keep_old):
    place.publish(1)
    place.publish(2)
    place.forget("u0007", keep_old=keep_old)
    for version in (1, 2):
        with pytest.raises(StoreError, match=r"holds users who were erased .* does not come back"):
            roll_back(place.workshop, place.policy, DOMAIN, to=version, why="w")
        with pytest.raises(StoreError, match="does not come back"):
            name_set(place.workshop, replace(place.policy, alias="beta"), DOMAIN, version=version, why="w")
    assert bool(place.holding("u0007")) == keep_old


def test_sets_at_a_copy_go_too_those_that_the_home_has_no_more_as_well(copied):
    for mark in (1, 2):
        copied.publish(mark)
    copy = copied.site.copies[0]
    gone = copied.workshop.store.path_of(PUBLISHED, copied.registry.alias_history(DOMAIN)[1].digest)
    gone.rename(copied.scratch)
    assert len({f.parent for f in copied.holding("u0007", root=copy)}) == 2
    copied.scratch.rename(gone.with_name("elsewhere"))
    done = copied.forget("u0007")
    assert copied.holding("u0007", root=copy) == []
    there = open_set(copy, DOMAIN)
    assert (there.version, knows(there, "u0007")) == (3, False)
    assert done.receipt.told == []


def test_a_copy_that_is_down_keeps_nobody_else_and_is_told_later(copied, tmp_path):
    copied.publish(1)
    down = replace(copied.policy, copies=(*copied.policy.copies, "no-such-driver://x"))
    done = copied.forget("u0007", policy=down)
    assert not knows(open_set(copied.home, DOMAIN), "u0007")
    assert not knows(open_set(copied.site.copies[0], DOMAIN), "u0007")
    assert all("no-such-driver" in told for told in done.receipt.told)
    assert done.receipt.told


def test_whoever_has_the_old_version_open_reads_on_until_it_refreshes(place):
    place.publish(1)
    held = open_set(place.home, DOMAIN)
    assert knows(held, "u0007")
    place.forget("u0007")
    assert knows(held, "u0007")
    assert not knows(held.refresh(), "u0007")


def test_neither_the_registry_nor_a_receipt_says_who(place):
    place.publish(1)
    place.forget("u0007", "u0011")
    written = [p for p in place.home.rglob("*") if p.is_file() and p.suffix not in (".parquet", ".faiss")]
    assert {"registry.db", "erasure.key"} <= {p.name for p in written}
    for file in written:
        assert b"u0007" not in file.read_bytes(), file
        assert b"u0011" not in file.read_bytes(), file


def test_who_is_erased_once_more_is_on_record_once_more_and_nothing_moves(place):
    place.publish(1)
    first, again = place.forget("u0007"), place.forget("u0007")
    assert (again.receipt.versions, again.receipt.removed) == ([], [])
    assert first.receipt.commitments != again.receipt.commitments, "receipts of one user share nothing"


def test_somebody_nobody_knows_is_erased_from_what_may_come(place):
    place.publish(1)
    done = place.forget("a stranger")
    assert (done.receipt.removed, done.receipt.versions) == ([], [])
    assert place.workshop.erasures.erased().tokens


@pytest.mark.parametrize(
    ("users", "why", "words"),
    [
        ((), "w", "no user is named"),
        (("",), "w", "is empty"),
        (("u1\n",), "w", "characters that no id"),
        (("u0007",), "request of u0007, 3 May", "the reason names a user"),
    ],
)
def test_what_cannot_be_erased_is_told_before_anything_is_on_record(place, users, why, words):
    with pytest.raises(UsageError, match=words):
        place.forget(*users, why=why)
    assert place.workshop.erasures.erased() is None


def test_without_the_secret_nothing_is_built_any_more(place):
    place.publish(1)
    place.forget("u0007")
    (place.home / "erasure.key").rename(place.home / "lost")
    with pytest.raises(HierError, match="the secret that recognises the users is gone"):
        place.site.make(place.workshop, 1)
    with pytest.raises(ConfigError, match="is gone"):
        place.forget("u0008")


def test_the_set_that_began_a_space_gives_way_too_so_that_it_need_not_be_kept(place):
    first = place.publish(1)
    anchored = Request(PUBLISHED, DOMAIN, "1", {}, {"model": MODEL, "anchor": first.digest})

    def build(_, staged):
        about = {"domain": DOMAIN, "space": first.space, "anchor": first.digest}
        facts, notes = write(staged, vectors(40, 60), seen=pairs([7, 8], [1, 2]), **about)
        return Built(summary=facts, known=tuple(notes.entries))

    made = place.workshop.make(anchored, build, run_id="r").artifact
    policy, same = place.policy, lambda *_: ("same", {})
    go_live(place.workshop, made, policy, same, run_id="r", why="w", facts={})
    receipt = place.forget("u000007", "u0007").receipt
    live = place.workshop.store.open(PUBLISHED, place.registry.alias(DOMAIN).digest)
    began = receipt.replaced[first.digest]
    anchors = (
        live.manifest.summary["anchor"],
        live.manifest.parents["anchor"],
        live.json("set.json")["anchor"],
    )
    assert set(anchors) == {began}
    assert live.manifest.summary["space"] == first.space
    assert receipt.replaced == {first.digest: began, made.digest: live.digest}
    assert place.holding("u000007", "u0007") == []


def test_who_publishes_meanwhile_is_suppressed_as_well(place):
    place.publish(1)
    move, tries = place.registry.move_together, []

    def somebody_comes_first(*given):
        tries.append(given)
        if len(tries) == 1:
            place.registry.move_alias(Move(DOMAIN, "live", second.digest, "r", "w", space=f"{2:016x}"))
        return move(*given)

    second = place.site.make(place.workshop, 2).artifact
    with mock.patch.object(place.registry, "move_together", somebody_comes_first):
        place.forget("u0007")
    assert len([given for given in tries if len(given) > 1]) == 2
    now = open_set(place.home, DOMAIN)
    assert (now.version, now.facts["mark"], knows(now, "u0007")) == (3, 2, False)


def test_an_erasure_that_ends_early_holds_already_and_is_finished_by_the_next(place):
    place.publish(1)
    killed = mock.patch("hier_dag.erasure.forget.flip", side_effect=KeyboardInterrupt)
    with killed, pytest.raises(KeyboardInterrupt):
        place.forget("u0007")
    (said,) = recorded(place.registry)
    assert not said["finished"]
    assert place.workshop.find(request(1)) is None, "nothing is built upon what holds them"
    assert place.forget("u0007").receipt.removed
    assert not knows(open_set(place.home, DOMAIN), "u0007")


def restored(place, backup):
    """The place with the registry of a backup, or of a file that is not there yet."""
    registry = Registry(f"sqlite:///{backup}", platform=place.home.name)
    place.workshop = Workshop(place.workshop.store, registry)


def test_a_registry_that_was_lost_or_is_older_erases_nobody_from_what_readers_follow(place, tmp_path):
    place.publish(1)
    with closing(sqlite3.connect(place.home / "registry.db")) as database:
        database.execute(f"VACUUM INTO '{tmp_path / 'backup.db'}'")
    place.publish(2)
    for backup, known in (("backup.db", "none after 1"), ("empty.db", "none at all")):
        restored(place, tmp_path / backup)
        words = f"readers follow version 2 of live, and the registry knows {known}"
        with pytest.raises(RegistryError, match=words):
            place.forget("u0007")
    assert knows(open_set(place.home, DOMAIN), "u0007"), "nothing was removed"


def test_a_registry_from_before_an_erasure_lets_nobody_come_back(place, tmp_path):
    with closing(sqlite3.connect(place.home / "registry.db")) as database:
        database.execute(f"VACUUM INTO '{tmp_path / 'backup.db'}'")
    receipt = place.forget("u0007").receipt
    restored(place, tmp_path / "backup.db")
    for attempt in (lambda: place.publish(1), lambda: place.forget("u0007")):
        with pytest.raises(HierError, match="have a receipt here, and the registry knows nothing") as told:
            attempt()
        assert told.value.file.endswith(f"{receipt.id}.json")
    receipt_file(place.home, receipt.id).rename(tmp_path / "receipt.json")
    assert place.forget("u0007").receipt.users == 1


def test_it_is_told_where_an_erasure_does_not_get(place):
    place.publish(1)
    runs = place.home / "dagster" / "history.db"
    runs.parent.mkdir()
    runs.write_bytes(b'\x00\x01{"sample": "u0007"}\x00' + b"x" * 100)
    refused = Request("raw/refused", DOMAIN, "1", {})

    def build(_, staged):
        (staged / "quarantine").mkdir()
        pq.write_table(pa.table({"raw": ['{"uid":"u0007"}']}), staged / "quarantine" / "part.parquet")
        return Built(summary={"reason": 'For example row 1: {"uid":"u0007"}.'})

    made = place.workshop.make(refused, build, run_id="r").artifact
    receipt = place.forget("u0007").receipt
    told = [f"the registry's manifest of raw/refused {made.digest}", "dagster/history.db"]
    assert receipt.elsewhere == told
    assert made.digest in receipt.removed
    assert place.forget("u0001").receipt.elsewhere == []


def test_a_receipt_lies_at_home_and_says_what_was_done(place):
    row = place.publish(1)
    done = place.forget("u0007", why="request of 3 May")
    receipt = read_receipt(receipt_file(place.home, done.receipt.id))
    assert receipt == done.receipt
    assert [(a["digest"], a["grade"], a["holds"]) for a in receipt.artifacts] == [(row.digest, "holds", 1)]
    assert receipt.removed == [row.digest]
    assert json.loads(receipt.to_bytes())["why"] == "request of 3 May"
