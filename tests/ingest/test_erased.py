"""Rows of erased users are read and counted, and nothing of them is written, whatever state they are in."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hier_dag.config.models import PlatformConfig
from hier_dag.erasure.erased import Erased
from hier_dag.erasure.secret import Secret
from hier_dag.ingest.connection import connect
from hier_dag.ingest.corrections import SCHEMA, Corrections
from hier_dag.ingest.events import PreviousEvents, ingest_domain
from hier_dag.ingest.fingerprint import fingerprint
from hier_dag.ingest.ledger import Ledger
from hier_dag.ingest.links import ingest_links, link_inputs
from tests.ingest.helpers import NOW, contents, platform, rows, write

SECRET = Secret("ab" * 32)
SOURCE = {"path": "day*.jsonl", "columns": {"event_time": "at"}}


def erased(*users):
    return Erased(SECRET, tuple(sorted(SECRET.token(user) for user in users)))


def ingest(config, out, who, *, previous=None, corrections=None):
    out.mkdir(parents=True)
    inputs = fingerprint(config, config.domains["shop"].sources, "shop")
    before = None if previous is None else PreviousEvents.read(previous)
    with connect(out.parent / "scratch", threads=1) as con:
        return ingest_domain(
            config,
            "shop",
            inputs,
            out,
            con=con,
            as_of=NOW,
            previous=before,
            corrections=corrections,
            erased=who,
        )


def event(user, item="i1", at="2024-05-01"):
    return {"user_id": user, "item_id": item, "at": at}


def naming(out, user):
    """Rows of everything that was written in which a user's id stands."""
    written = [
        *rows(out / "events"),
        *rows(out / "quarantine"),
        json.loads((out / "ledger.json").read_text()),
    ]
    return [r for r in written if user in json.dumps(r, default=str)]


def test_valid_refused_repeated_and_broken_rows_of_an_erased_user_are_left_out_and_counted(tmp_path):
    write(tmp_path / "day0.jsonl", [event("ann"), event("ann"), event("ann", item=""), event("bob")])
    with (tmp_path / "day0.jsonl").open("a") as file:
        file.write('{"user_id": "ann", "item_id": \n{"user_id": "bob", "item_id": \n')
    write(
        tmp_path / "day1.jsonl",
        [event("ann"), event("bob"), event("swapped", item="i2"), event("", item="ann")],
    )
    ledger = ingest(platform(tmp_path, SOURCE), tmp_path / "out", erased("ann"))
    first, second = ledger.files
    assert (first.rows_in, first.rows_out, first.rows_quarantined, first.erased) == (6, 1, 1, 4)
    assert (second.rows_in, second.rows_out, second.deduplicated, second.erased) == (4, 1, 1, 2)
    assert naming(tmp_path / "out", "ann") == []
    assert [r["raw"] for r in rows(tmp_path / "out" / "quarantine")] == ['{"user_id": "bob", "item_id": ']
    assert ledger.as_json()["totals"]["erased"] == 6


def test_who_is_only_called_like_an_erased_user_in_part_stays(tmp_path):
    write(
        tmp_path / "day0.jsonl", [event("u1"), event("u12"), event("u12", item=""), event("bob", item="u1")]
    )
    ledger = ingest(platform(tmp_path, SOURCE), tmp_path / "out", erased("u1"))
    assert (ledger.rows_out, ledger.erased, ledger.quarantined) == (2, 1, {"null_item": 1})
    assert {r["item_id"] for r in rows(tmp_path / "out" / "events")} == {"i1", "u1"}, "an item is no person"


def test_an_erasure_that_hits_nothing_changes_no_byte(tmp_path):
    write(tmp_path / "day0.jsonl", [event("ann"), event("bob", item=""), event("ann")])
    config = platform(tmp_path, SOURCE)
    ingest(config, tmp_path / "before", None)
    ingest(config, tmp_path / "after", erased("somebody else"))
    assert contents(tmp_path / "before") == contents(tmp_path / "after")


def test_files_before_the_first_with_an_erased_user_are_not_read_again(tmp_path):
    for n, users in enumerate((("bob",), ("ann", "bob"), ("bob", "ann", "ann"))):
        write(tmp_path / f"day{n}.jsonl", [event(user, item=f"i{n}") for user in users] + [event("bob")])
    config = platform(tmp_path, SOURCE)
    ingest(config, tmp_path / "before", None)
    ledger = ingest(config, tmp_path / "after", erased("ann"), previous=tmp_path / "before")
    ingest(config, tmp_path / "afresh", erased("ann"))
    assert contents(tmp_path / "after") == contents(tmp_path / "afresh")
    assert [f.erased for f in ledger.files] == [0, 1, 2]
    part = next((tmp_path / "before" / "events").glob("part-00000*"))
    assert (tmp_path / "after" / "events" / part.name).stat().st_ino == part.stat().st_ino


def test_a_correction_cannot_bring_an_erased_user_back(tmp_path):
    write(tmp_path / "day0.jsonl", [event("bob", item=""), event("bob")])
    config = platform(tmp_path, SOURCE)
    first = ingest(config, tmp_path / "before", None)
    (held,) = rows(tmp_path / "before" / "quarantine")
    given = {
        "sha256": first.files[0].sha256, "location": "day0.jsonl", "row": 1, "before": held["raw"],
        "values": json.dumps({"user_id": "ann", "item_id": "i9", "at": "2024-05-01"}),
    }  # fmt: skip
    corrections = Corrections(pa.Table.from_pylist([given], schema=SCHEMA))
    ledger = ingest(config, tmp_path / "after", erased("ann"), corrections=corrections)
    assert (ledger.rows_out, ledger.erased, ledger.files[0].corrected) == (1, 1, 1)
    assert naming(tmp_path / "after", "ann") == []


USERS = st.sampled_from(["ann", "bob", "cy", "", "d, e", 'say "hi"', "ü:1", "x\\y"])
TIMES = st.sampled_from(["2024-05-01", "2024-05-02", "never"])
ROWS = st.lists(st.builds(event, USERS, st.sampled_from(["i1", "i2", ""]), TIMES), min_size=4, max_size=20)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(ROWS, min_size=1, max_size=3), who=st.sets(USERS.filter(bool), min_size=1, max_size=2))
def test_what_is_left_is_what_logs_without_the_users_give(tmp_path_factory, days, who):
    folder = tmp_path_factory.mktemp("logs")
    for n, day in enumerate(days):
        write(folder / f"day{n}.jsonl", day)
    config = platform(folder, SOURCE)
    ledger = ingest(config, folder / "out", erased(*who))

    kept = [[r for r in day if r["user_id"] not in who] for day in days]
    gone = sum(len(day) - len(left) for day, left in zip(days, kept, strict=True))
    assert (ledger.rows_in, ledger.erased) == (sum(map(len, days)), gone)
    valid = [r for day in kept for r in day if r["user_id"] and r["item_id"] and r["at"] != "never"]
    written = rows(folder / "out" / "events")
    seen = {(r["user_id"], r["item_id"], r["at"]) for r in valid}
    written = [(r["user_id"], r["item_id"], f"{r['event_time']:%Y-%m-%d}") for r in written]
    assert sorted(written) == sorted(seen)
    assert Ledger.read(folder / "out" / "ledger.json") == ledger


def links(tmp_path, who):
    config = platform(tmp_path, SOURCE)
    friends = [{"path": "friends.csv"}]
    config = PlatformConfig.model_validate({**config.model_dump(), "links": {"user_user": friends}})
    out = tmp_path / f"links {who is not None}"
    with connect(tmp_path / "scratch", threads=1) as con:
        return ingest_links(config, link_inputs(config), out, con=con, erased=who), out


def test_edges_of_an_erased_user_go_at_either_end(tmp_path):
    edges = [("ann", "bob"), ("bob", "ann"), ("zoe", "ann"), ("bob", "cy"), ("bob", ""), ("", "ann")]
    write(tmp_path / "friends.csv", [{"user_id": a, "other_id": b} for a, b in edges])
    write(tmp_path / "catalogue.csv", [{"item_id": "i1"}])
    ledger, out = links(tmp_path, erased("ann"))
    (friends,) = (f for f in ledger.files if f.feeds == "user_user")
    assert (friends.rows_in, friends.rows_out, friends.erased) == (6, 1, 4)
    assert friends.quarantined == {"null_user": 1}
    assert [(r["user_id"], r["other_id"]) for r in pq.read_table(out / "user_user.parquet").to_pylist()] == [
        ("bob", "cy")
    ]
    assert "ann" not in json.dumps(rows(out / "quarantine"))


@pytest.mark.parametrize("who", [None, "ann"])
def test_a_ledger_says_of_erased_rows_only_where_there_are_some(tmp_path, who):
    write(tmp_path / "day0.jsonl", [event("ann"), event("bob")])
    ingest(platform(tmp_path, SOURCE), tmp_path / "out", erased(who) if who else None)
    assert ("erased" in (tmp_path / "out" / "ledger.json").read_text()) == (who is not None)
