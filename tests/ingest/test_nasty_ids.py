"""Ids that other systems change or lose come through exactly or are refused with a reason, in all formats."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.graph.build import build_graph
from hier_dag.ingest.connection import connect
from hier_dag.ingest.links import ingest_links, link_inputs
from tests.ingest.helpers import ingest, platform, refused, rows, write

FORMATS = ["log.parquet", "log.csv", "log.csv.gz", "log.jsonl", "log.jsonl.gz", "log.sqlite"]
EXACT = {
    "the longest that is declared": "x" * 3_211,
    "NFC": "caf\u00e9",
    "NFD": "cafe\u0301",
    "NFKC look-alike": "\ufb01\u2460\u212b",
    "Å as a letter": "\u00c5",
    "leading zeros": "000123",
    "without them": "123",
    "beyond 2^53": str(2**53 + 1),
    "beyond 2^64": str(2**64 + 1),
    "a number in words": "1e5",
    "minus zero": "-0",
    "plus": "+1",
    "decimal": "1.0",
    "hexadecimal": "0x10",
    "not a number": "NaN",
    "infinity": "Infinity",
    "null in words": "null",
    "None in words": "None",
    "NA in words": "NA",
    "true": "true",
    "a date": "2024-01-01",
    "family emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "flag": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "skin tone": "\U0001f44d\U0001f3fd",
    "astral": "\U0001d4d7\U00020000\U0010fffd",
    "right to left": "\u05d0\u0628 1\u202e2",
    "zero width": "a\u200bb\u200cc\ufeffd",
    "begins with zero width": "\ufeff\u200babcd",
    "without zero width": "abcd",
    "combining": "z" + "\u0300" * 50,
    "lower case": "stra\u00dfe",
    "upper case": "STRASSE",
    "dotless": "\u0131I\u0130i",
    "leading space": " a",
    "trailing space": "a ",
    "neither": "a",
    "no-break space inside": "a\u00a0b",
    "quotes": "\"'`\u201c",
    "separators": ",;|\t".replace("\t", "/"),
    "backslashes": "\\n\\\\x",
    "braces": "{}[]()<>",
    "markup": "<script>alert(1)</script>&amp;",
    "glob": "*?[a-z]~",
    "percent": "%41%00",
    "SQL": "'; drop table log; --",
    "the last character of Unicode that is one": "\U0010fffd",
}
REFUSED = {
    "empty": ("", "null_user"),
    "blank": (" \u2003\u00a0", "null_user"),
    "zero width alone": ("\u200b", "null_user"),
    "invisible": (" \ufeff\u200d\u2060", "null_user"),
    "too long": ("x" * 3_212, "long_user"),
    "replacement": ("caf\ufffd", "bad_encoding"),
    "NUL": ("a\x00b", "bad_encoding"),
    "unit separator": ("a\x1fb", "bad_encoding"),
    "escape": ("\x1b[31mred", "bad_encoding"),
    "C1 control": ("a\u009b31m", "bad_encoding"),
    "tab": ("a\tb", "bad_encoding"),
    "newline": ("a\nb", "bad_encoding"),
    "carriage return": ("a\rb", "bad_encoding"),
    "delete": ("a\x7f", "bad_encoding"),
}


def source(name):
    return {"sql": f"sqlite:///{name}", "table": "log"} if name.endswith("sqlite") else {"path": name}


def declared(folder, name, **more):
    return platform(folder, source(name), ingest={"max_id_length": 3_211}, **more)


@pytest.mark.parametrize("name", FORMATS)
def test_every_id_comes_through_exactly_or_with_its_reason(tmp_path, name):
    good = list(EXACT.values())
    bad = [value for value, _ in REFUSED.values()]
    write(tmp_path / name, [{"user_id": i, "item_id": i} for i in good] + [
        {"user_id": i, "item_id": "i"} for i in bad])  # fmt: skip
    ledger = ingest(declared(tmp_path, name), tmp_path / "out")
    got = rows(tmp_path / "out" / "events")
    assert sorted(r["user_id"] for r in got) == sorted(good)
    assert all(r["item_id"] == r["user_id"] for r in got)
    assert Counter(reason for _, reason, _ in refused(tmp_path / "out")) == Counter(
        r for _, r in REFUSED.values()
    )
    assert ledger.rows_in == len(good) + len(bad)


@pytest.mark.parametrize("name", FORMATS)
def test_ids_keep_their_identity_in_the_graph(tmp_path, name):
    ids = list(EXACT.values())
    write(tmp_path / name, [{"user_id": i, "item_id": ids[-1 - n]} for n, i in enumerate(ids)])
    (tmp_path / "catalogue.csv").write_text("item_id\ni\n")
    config = declared(tmp_path, name)
    ingest(config, tmp_path / "out")
    with connect(tmp_path / "scratch", threads=1) as con:
        ingest_links(config, link_inputs(config), tmp_path / "links", con=con)
        (tmp_path / "graph").mkdir()
        events = {"shop": sorted((tmp_path / "out" / "events").glob("*.parquet")), "other": []}
        graph = build_graph(con, config, events, tmp_path / "links", tmp_path / "graph")
    assert sorted(graph.user_ids) == sorted(ids)
    assert set(graph.item_ids) == {*ids, "i"}
    pairs = graph.interactions["shop"]
    got = set(zip(graph.user_ids[pairs.user], graph.item_ids[pairs.item], strict=True))
    assert got == {(i, ids[-1 - n]) for n, i in enumerate(ids)}
    assert len(np.unique(pairs.share_rank)) == len(ids), "every pair draws a number of its own"


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.int64(), [-(2**63), -1, 0, 2**53, 2**53 + 1, 2**63 - 1]),
        (pa.uint64(), [0, 2**53 + 1, 2**63, 2**64 - 1]),
        (pa.int8(), [-128, 127]),
        (pa.large_string(), ["007", "\u00e9", "e\u0301"]),
        (pa.string_view(), ["007", "\u00e9", "e\u0301"]),
        (pa.dictionary(pa.int32(), pa.string()), ["007", "\u00e9", "007"]),
    ],
    ids=lambda v: str(v)[:20],
)
def test_typed_parquet_ids_are_exact(tmp_path, kind, values):
    if kind == pa.string_view():
        column = pa.array(values, pa.string()).cast(kind)
    else:
        column = (
            pa.array(values).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(values, kind)
        )
    pq.write_table(pa.table({"user_id": column, "item_id": column}), tmp_path / "log.parquet")
    ingest(declared(tmp_path, "log.parquet"), tmp_path / "out")
    assert {r["user_id"] for r in rows(tmp_path / "out" / "events")} == {str(v) for v in values}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            '{"user_id": 9007199254740993, "item_id": 18446744073709551615}',
            ("9007199254740993", str(2**64 - 1)),
        ),
        ('{"user_id": -9223372036854775808, "item_id": 0}', (str(-(2**63)), "0")),
        ('{"user_id": "\\ud83d\\ude00", "item_id": "\\u00e9"}', ("\U0001f600", "\u00e9")),
        ('{"user_id": 18446744073709551616, "item_id": 1}', (str(2**64), "1")),
        ('{"user_id": 1.0, "item_id": 1}', "malformed_row"),
        ('{"user_id": 1e3, "item_id": 1}', "malformed_row"),
        ('{"user_id": 1e400, "item_id": 1}', "malformed_row"),
        ('{"user_id": 007, "item_id": 1}', "malformed_row"),
        ('{"user_id": "\\ud800", "item_id": 1}', "malformed_row"),
        ('{"user_id": "\\udc00\\ud800", "item_id": 1}', "malformed_row"),
        ('{"user_id": ["u"], "item_id": 1}', "malformed_row"),
        ('{"user_id": {"a": 1}, "item_id": 1}', "malformed_row"),
        ('{"user_id": true, "item_id": 1}', "malformed_row"),
        ('{"user_id": NaN, "item_id": 1}', "malformed_row"),
        ('{"user_id": null, "item_id": 1}', "null_user"),
        ('{"user_id": "a\\u0000b", "item_id": 1}', "bad_encoding"),
        ('{"user_id": "a\\u001fb", "item_id": 1}', "bad_encoding"),
    ],
)
def test_json_values_are_exact_or_refused(tmp_path, line, expected):
    (tmp_path / "log.jsonl").write_text('{"user_id": "u", "item_id": "i"}\n' + line + "\n")
    ingest(declared(tmp_path, "log.jsonl"), tmp_path / "out")
    got = [(r["user_id"], r["item_id"]) for r in rows(tmp_path / "out" / "events")]
    reasons = [reason for _, reason, _ in refused(tmp_path / "out")]
    if isinstance(expected, tuple):
        assert (got[1:], reasons) == ([expected], [])
    else:
        assert (got, reasons) == ([("u", "i")], [expected])


def test_mixed_types_in_one_sqlite_column_are_the_texts_that_the_database_writes(tmp_path):
    db = sqlite3.connect(tmp_path / "log.sqlite")
    db.execute("create table log (user_id, item_id)")
    values = [1, "1", "01", 2**63 - 1, b"raw", b"\xff\xfe", None, "", "a\x00b"]
    db.executemany("insert into log values (?, 'i')", [(v,) for v in values])
    db.commit()
    db.close()
    ledger = ingest(declared(tmp_path, "log.sqlite"), tmp_path / "out")
    got = [r["user_id"] for r in rows(tmp_path / "out" / "events")]
    assert sorted(got) == sorted(["1", "01", str(2**63 - 1), "raw"])
    assert ledger.deduplicated == 1
    assert ledger.quarantined == {"bad_encoding": 2, "null_user": 2}


def test_two_pairs_that_join_to_the_same_text_are_two_pairs(tmp_path):
    pairs = [("a", "b"), ("ab", ""), ("a\x1fb", "c"), ("a", "b\x1fc")]
    lines = [json.dumps({"user_id": u, "item_id": i}) for u, i in pairs]
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    ledger = ingest(declared(tmp_path, "log.jsonl"), tmp_path / "out")
    assert ledger.rows_out == 1, "the separator that splits draw with cannot be part of an id"
    assert ledger.quarantined == {"bad_encoding": 2, "null_item": 1}


def test_a_parquet_column_of_nulls_alone_is_rows_without_an_id(tmp_path):
    pq.write_table(pa.table({"user_id": pa.nulls(3), "item_id": ["a", "b", "c"]}), tmp_path / "log.parquet")
    ledger = ingest(declared(tmp_path, "log.parquet"), tmp_path / "out")
    assert (ledger.rows_in, ledger.quarantined) == (3, {"null_user": 3})
