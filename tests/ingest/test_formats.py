"""The same log in every format gives the same events."""

from __future__ import annotations

import sqlite3
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.ingest.helpers import ingest, platform, refused, rows, write

FILES = ["log.parquet", "log.csv", "log.csv.gz", "log.jsonl", "log.jsonl.gz", "log.sqlite"]
RECORDS = [
    {"uid": "007", "biz": "a b", "kind": "view", "w": 2, "at": 1_600_000_000, "n": 1},
    {"uid": "7", "biz": 'ä,"q"', "kind": "buy", "w": 0.5, "at": 1_600_000_001, "n": 2},
    {"uid": "9007199254740993", "biz": "🙂", "kind": "view", "w": 1, "at": 1_600_000_002, "n": 3},
]
COLUMNS = {
    "user_id": "uid",
    "item_id": "biz",
    "behavior": "kind",
    "weight": "w",
    "event_time": "at",
    "position": "n",
}


def source(name: str, **more):
    where = {"sql": f"sqlite:///{name}", "table": "log"} if name.endswith("sqlite") else {"path": name}
    return {**where, **more}


@pytest.mark.parametrize("name", FILES)
def test_each_format_gives_the_canonical_events(tmp_path, name):
    write(tmp_path / name, RECORDS)
    config = platform(
        tmp_path, source(name, columns=COLUMNS, time_unit="s"), behaviors={"view": 1.0, "buy": 4.0}
    )
    ledger = ingest(config, tmp_path / "out")
    got = rows(tmp_path / "out" / "events")
    got.sort(key=lambda r: r["position"])
    assert [r["user_id"] for r in got] == ["007", "7", "9007199254740993"]
    assert [r["item_id"] for r in got] == ["a b", 'ä,"q"', "🙂"]
    assert [r["weight"] for r in got] == [2.0, 2.0, 1.0]
    assert got[0]["event_time"] == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
    assert sorted(r["row"] for r in got) == [1, 2, 3]
    assert (ledger.rows_in, ledger.rows_out, ledger.quarantined) == (3, 3, {})


@pytest.mark.parametrize("name", ["log.parquet", "log.jsonl", "log.sqlite"])
def test_integer_ids_beyond_2_53_stay_exact(tmp_path, name):
    ids = [2**53 + 1, 2**63 - 1, -(2**63)]
    write(tmp_path / name, [{"user_id": i, "item_id": 1} for i in ids])
    ingest(platform(tmp_path, source(name)), tmp_path / "out")
    assert {r["user_id"] for r in rows(tmp_path / "out" / "events")} == {str(i) for i in ids}


nasty = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40).filter(
    lambda s: "\ufffd" not in s
)
NASTY = ["é", "e\u0301", "007", "7", "'; drop table log; --", "🏴‍☠️", "NULL", "nan", "-0"]
examples = st.lists(
    st.one_of(nasty, st.sampled_from(NASTY)),
    min_size=1, max_size=20, unique=True,
)  # fmt: skip


def shows(text):
    """Whether an id has a character that is neither white space nor invisible."""
    return any(unicodedata.category(c) not in ("Cf", "Zs", "Zl", "Zp") for c in text)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(ids=examples)
@example(ids=["\xad", "\u200b \u2060", "a\u200b", "\u200bb"])
def test_ids_that_show_round_trip_exactly_and_others_are_refused(tmp_path_factory, name, ids):
    folder = tmp_path_factory.mktemp("ids")
    write(folder / name, [{"user_id": i, "item_id": i} for i in ids])
    ledger = ingest(platform(folder, source(name)), folder / "out")
    got = rows(folder / "out" / "events")
    kept = [i for i in ids if shows(i)]
    blank = len(ids) - len(kept)
    assert ledger.quarantined == ({"null_user": blank} if blank else {})
    assert sorted(r["user_id"] for r in got) == sorted(kept)
    assert all(r["user_id"] == r["item_id"] for r in got)


@pytest.mark.parametrize("name", FILES)
def test_overlong_and_blank_ids_are_refused_with_a_reason(tmp_path, name):
    good = {"user_id": "u", "item_id": "i"}
    bad = [{**good, "user_id": "x" * 3211}, {**good, "item_id": "y" * 257}, {**good, "user_id": " \u2003"}]
    write(
        tmp_path / name,
        [good, *bad, {"user_id": "x" * 256, "item_id": "i"}, {"user_id": "u", "item_id": None}],
    )
    ledger = ingest(platform(tmp_path, source(name)), tmp_path / "out")
    assert ledger.rows_out == 2
    assert ledger.quarantined == {"long_item": 1, "long_user": 1, "null_item": 1, "null_user": 1}


def test_a_table_with_a_reserved_name_and_quoted_columns_is_read(tmp_path):
    db = sqlite3.connect(tmp_path / "x.sqlite")
    db.execute('create table "order" ("select" text, "a""b; --" integer)')
    db.execute("insert into \"order\" values ('u1', 5)")
    db.commit()
    db.close()
    columns = {"user_id": "select", "item_id": 'a"b; --'}
    config = platform(tmp_path, {"sql": "sqlite:///x.sqlite", "table": "order", "columns": columns})
    ingest(config, tmp_path / "out")
    assert [(r["user_id"], r["item_id"]) for r in rows(tmp_path / "out" / "events")] == [("u1", "5")]


def test_rows_still_in_the_write_ahead_log_are_read_and_change_the_digest(tmp_path):
    from hier_dag.ingest.fingerprint import fingerprint

    db = sqlite3.connect(tmp_path / "x.sqlite")
    db.execute("pragma journal_mode=wal")
    db.execute("create table log (user_id text, item_id text)")
    db.commit()
    config = platform(tmp_path, {"sql": "sqlite:///x.sqlite", "table": "log"})
    before = fingerprint(config, config.domains["shop"].sources, "shop")[0].sha256
    db.execute("insert into log values ('u', 'i')")
    db.commit()
    ledger = ingest(config, tmp_path / "out")
    db.close()
    assert ledger.rows_out == 1
    assert ledger.files[0].sha256 != before


def test_broken_lines_are_quarantined_with_their_row_and_the_rest_is_kept(tmp_path):
    (tmp_path / "a.csv").write_bytes(
        b'user_id,item_id,text\nu1,i1,x\nu2,i2\nu3,i3,"two\nlines"\nu4,i4,x,y\n\nu\xff5,i5,x\nu6,i6,\xff\n'
    )
    lines = [b'{"user_id": "u1", "item_id": 1}', b"{oops", b"[1]", b'{"user_id": 1.5, "item_id": 1}', b"",
             b'{"user_id": "u\xff", "item_id": 1}', b'{"user_id": "a\\u0000", "item_id": 1}',
             b'{"item_id": 1}', b'{"user_id": "u2", "item_id": 2}']  # fmt: skip
    (tmp_path / "b.jsonl").write_bytes(b"\n".join(lines))
    ledger = ingest(platform(tmp_path, [{"path": "a.csv"}, {"path": "b.jsonl"}]), tmp_path / "out")
    assert [(r["user_id"], r["row"]) for r in rows(tmp_path / "out" / "events")] == [
        ("u1", 1), ("u3", 3), ("u6", 6), ("u1", 1), ("u2", 8),
    ]  # fmt: skip
    assert refused(tmp_path / "out") == [
        (2, "malformed_row", None), (4, "malformed_row", None), (5, "bad_encoding", "user_id"),
        (2, "malformed_row", None), (3, "malformed_row", None), (4, "malformed_row", None),
        (5, "bad_encoding", "user_id"), (6, "bad_encoding", "user_id"), (7, "null_user", "user_id"),
    ]  # fmt: skip
    assert [f.rows_in for f in ledger.files] == [6, 8]


def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_after_it(tmp_path):
    body = 'user_id,item_id\r\nu1,i1\r\nu2,"i2\r\nu3,i3\r\n"u4",i4\r\n'
    (tmp_path / "a.csv").write_bytes(body.encode())
    ledger = ingest(platform(tmp_path, {"path": "a.csv"}), tmp_path / "out")
    assert [r["user_id"] for r in rows(tmp_path / "out" / "events")] == ["u1", "u3", "u4"]
    assert refused(tmp_path / "out") == [(2, "malformed_row", None)]
    assert ledger.rows_in == 4
