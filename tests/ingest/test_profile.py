"""A profile holds what the events are, to the row, and is the same however the engine works."""

from __future__ import annotations

import numpy as np
import pytest

from hier_dag.errors import StoreError
from hier_dag.ingest.connection import connect
from hier_dag.ingest.ledger import Ledger
from hier_dag.ingest.profile import PROFILE, EventProfile, TimeProfile
from hier_dag.ingest.profile_scan import profile_events
from tests.ingest.helpers import ingest, platform, write

COLUMNS = {"behavior": "what", "weight": "strength", "event_time": "at"}


def event(user, item, what="view", strength=1.0, at="2024-05-01T10:00:00"):
    return {"user_id": user, "item_id": item, "what": what, "strength": strength, "at": at}


def profiled(folder, days, out="out", threads=1):
    """The profile of a shop whose log has these files."""
    for n, records in enumerate(days):
        write(folder / f"day{n}.parquet", records)
    ingest(platform(folder, {"path": "day*.parquet", "columns": COLUMNS}), folder / out)
    with connect(folder / "scratch", threads=threads) as con:
        files = sorted((folder / out / "events").glob("*.parquet"))
        return profile_events(con, files, Ledger.read(folder / out / "ledger.json"))


DAYS = [
    [
        event("ann", "x"),
        event("ann", "x", at="2024-05-01T10:30:00"),
        event("ann", "y", at="2024-05-01T11:00:00"),
        event("ann", "y", "order", 8.0, "2024-05-09T23:59:59"),
        event("bob", "x", strength=0.3),
        event("", "x"),
    ],
    [event("x", "7"), event("7", "z"), event("ann", "x")],
]


def test_every_figure_is_what_is_there(tmp_path):
    p = profiled(tmp_path, DAYS)
    assert (p.rows, p.users, p.items) == (7, 4, 4)
    assert p.behaviors == {"view": 6, "order": 1}
    assert p.user_activity == (3, 0, 1), "three users have one event, one has four to seven"
    assert p.item_activity == (2, 2), "x has three events, y two, 7 and z one"
    assert p.weights == {"-2": 1, "0": 5, "3": 1}
    assert p.time.first == "2024-05-01T10:00:00+00:00"
    assert p.time.last == "2024-05-09T23:59:59+00:00"
    assert p.time.days == {"2024-05-01": 6, "2024-05-09": 1}
    assert p.time.longest_gap_days == 7
    assert p.time.timeless == 0
    assert {h: n for h, n in enumerate(p.time.hours) if n} == {10: 5, 11: 1, 23: 1}
    assert (p.top_user_rows, p.top_user_day) == (4, 3)
    assert p.users_as_items == 1, "x is a user and an item; 7 is a number, which says nothing"
    assert (p.rows_in, p.quarantined, p.deduplicated) == (9, {"null_user": 1}, 1)


def test_the_profile_does_not_depend_on_threads_or_on_the_files_that_rows_lie_in(tmp_path):
    rng = np.random.default_rng(1)
    records = [
        event(f"u{u}", f"i{i}", strength=float(w), at=f"2024-0{1 + m}-11T0{h}:00:00")
        for u, i, w, m, h in zip(
            rng.integers(0, 900, 4000), rng.integers(0, 90, 4000), rng.lognormal(size=4000),
            rng.integers(0, 5, 4000), rng.integers(0, 10, 4000), strict=True,
        )
    ]  # fmt: skip
    for name in "ab":
        (tmp_path / name).mkdir()
    one = profiled(tmp_path / "a", [records])
    two = profiled(tmp_path / "b", [records[:1500], records[1500:]], threads=2)
    assert one.as_json() == two.as_json()


def test_shares_by_sketches_of_the_engine_agree_with_the_ids(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    ours, theirs = range(9_000), range(6_000, 16_000)
    a = profiled(tmp_path / "a", [[event(f"u{n}", "x") for n in ours]])
    b = profiled(tmp_path / "b", [[event(f"u{n}", "x") for n in theirs]])
    assert a.user_ids.ids == 9_000
    assert a.user_ids.share_in(b.user_ids) == pytest.approx(3_000 / 9_000, abs=0.03)
    assert b.user_ids.share_in(a.user_ids) == pytest.approx(3_000 / 10_000, abs=0.03)


def test_a_log_without_times_has_events_but_no_days(tmp_path):
    write(tmp_path / "log.csv", [{"user_id": "ann", "item_id": i} for i in "xyz"])
    ingest(platform(tmp_path, {"path": "log.csv"}), tmp_path / "out")
    with connect(tmp_path / "scratch") as con:
        files = list((tmp_path / "out" / "events").glob("*.parquet"))
        p = profile_events(con, files, Ledger.read(tmp_path / "out" / "ledger.json"))
    assert (p.rows, p.time, p.top_user_day) == (3, TimeProfile(timeless=3), 0)


def test_no_events_have_an_empty_profile(tmp_path):
    with connect(tmp_path / "scratch") as con:
        assert profile_events(con, [], Ledger("shop", ())).as_json() == EventProfile().as_json()
    nothing = profiled(tmp_path, [[event("", "x")]])
    assert (nothing.rows, nothing.users, nothing.quarantined) == (0, 0, {"null_user": 1})


def test_a_profile_is_read_back_as_it_was(tmp_path):
    p = profiled(tmp_path, DAYS)
    p.write(tmp_path)
    assert EventProfile.read(tmp_path).as_json() == p.as_json()
    (tmp_path / PROFILE).write_text("{}")
    with pytest.raises(StoreError, match="not a profile"):
        EventProfile.read(tmp_path)
