"""Rules that a domain declares: what ids look like, which weights there are, how busy a user is."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.ingest.helpers import ingest, platform, refused, rows, write


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log.parquet"])
def test_swapped_columns_are_caught_row_by_row(tmp_path, name):
    write(tmp_path / name, [{"user_id": "u1", "item_id": "i1"}, {"user_id": "i2", "item_id": "u2"}])
    patterns = {"user_id": r"^u\d+$", "item_id": r"^i\d+$"}
    ingest(platform(tmp_path, {"path": name, "patterns": patterns}), tmp_path / "out")
    (row,) = rows(tmp_path / "out" / "quarantine")
    assert (row["row"], row["reason"], row["column"]) == (2, "user_pattern", "user_id")
    assert row["reasons"] == ["user_pattern", "item_pattern"]


def test_a_changed_unit_of_the_weight_is_caught(tmp_path):
    records = [
        {"user_id": "u", "item_id": f"i{n}", "w": w} for n, w in enumerate((0.5, 5, 100, 0.49, 10_000))
    ]
    write(tmp_path / "log.parquet", [{**r, "w": float(r["w"])} for r in records])
    source = {"path": "log.parquet", "columns": {"weight": "w"}, "weight_range": {"min": 0.5, "max": 100}}
    config = platform(tmp_path, source, behaviors={"interact": 7.0})
    ingest(config, tmp_path / "out")
    assert refused(tmp_path / "out") == [(4, "weight_range", "w"), (5, "weight_range", "w")]


def test_all_rows_of_a_users_day_with_too_many_are_refused_and_only_those(tmp_path):
    def event(user, day, n, **change):
        at = f"2024-05-{day:02}T{n:02}:00:00Z"
        return {"user_id": user, "item_id": f"i{n}", "at": at, "w": 1, **change}

    bot = [event("bot", 1, n) for n in range(4)]
    others = [event("bot", 2, n) for n in range(3)] + [event("u", 1, n) for n in range(3)]
    dirty = [event("bot", 1, 9, w=0), event("u", 1, 9, w=0)]
    write(tmp_path / "log.csv", [*bot, *others, *dirty])
    source = {"path": "log.csv", "columns": {"event_time": "at", "weight": "w"}}
    ledger = ingest(platform(tmp_path, source, max_events_per_user_day=3), tmp_path / "out")
    found = [(r["row"], r["reasons"], r["column"]) for r in rows(tmp_path / "out" / "quarantine")]
    assert found == [
        *((n, ["burst"], "user_id") for n in range(1, 5)),
        (11, ["bad_weight", "burst"], "w"),
        (12, ["bad_weight"], "w"),
    ]
    assert ledger.rows_out == 6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"patterns": {"user_id": "^(u"}}, r"RE2 syntax: missing \)"),
        ({"patterns": {"user_id": r"(?<=u)\d"}}, "RE2 syntax"),
        ({"patterns": {"user_id": ""}}, "matches every id"),
        ({"weight_range": {"min": 0}}, "needs `columns.weight`"),
        ({"columns": {"weight": "w"}, "weight_range": {"min": 2, "max": 1}}, "no weight would be valid"),
        ({"columns": {"weight": "w"}, "weight_range": {}}, "`min`, `max` or both"),
    ],
)
def test_a_rule_that_cannot_hold_is_a_mistake_in_the_declaration(tmp_path, change, words):
    with pytest.raises(ValidationError, match=words):
        platform(tmp_path, {"path": "log.csv", **change})


def test_a_burst_needs_times(tmp_path):
    with pytest.raises(ValidationError, match=r"needs `columns.event_time`"):
        platform(tmp_path, {"path": "log.csv"}, max_events_per_user_day=3)


def test_a_rule_that_is_declared_later_judges_files_that_were_accepted(tmp_path):
    write(tmp_path / "log.csv", [{"user_id": "7", "item_id": "i"}])
    ingest(platform(tmp_path, {"path": "log.csv"}), tmp_path / "first")
    config = platform(tmp_path, {"path": "log.csv", "patterns": {"user_id": "^u"}})
    ledger = ingest(config, tmp_path / "second", previous=tmp_path / "first")
    assert ledger.quarantined == {"user_pattern": 1}
