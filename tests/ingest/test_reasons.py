"""A quarantined row carries every reason it breaks, each with words for what to do."""

from __future__ import annotations

import pytest

from hier_dag.ingest.connection import connect
from hier_dag.ingest.reasons import REASONS
from schemas.events import QUARANTINE
from schemas.validate import validate
from tests.ingest.helpers import ingest, platform, rows, write

COLUMNS = {"weight": "w", "event_time": "at"}
GOOD = {"user_id": "u", "item_id": "i", "w": "1", "at": "2024-05-01"}


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log.parquet"])
def test_all_reasons_of_a_row_are_kept_and_the_first_counts(tmp_path, name):
    bad = [
        {**GOOD, "item_id": "", "w": "nan", "at": "1970-01-01"},
        {**GOOD, "user_id": "\t\t\t\t\t", "w": "0"},
        {**GOOD, "user_id": "a\tb", "item_id": "c\ufffd"},
    ]
    write(tmp_path / name, [GOOD, *bad])
    config = platform(tmp_path, {"path": name, "columns": COLUMNS}, ingest={"max_id_length": 4})
    ledger = ingest(config, tmp_path / "out")
    assert [(r["reason"], r["reasons"], r["column"]) for r in rows(tmp_path / "out" / "quarantine")] == [
        ("null_item", ["null_item", "bad_weight", "early_time"], "item_id"),
        ("null_user", ["null_user", "long_user", "bad_encoding", "bad_weight"], "user_id"),
        ("bad_encoding", ["bad_encoding"], "user_id"),
    ]
    assert ledger.quarantined == {"bad_encoding": 1, "null_item": 1, "null_user": 1}


def test_a_line_that_is_no_row_breaks_no_other_rule(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id,w,at\nu,i,1,2024-05-01\nu,i\n")
    ingest(platform(tmp_path, {"path": "log.csv", "columns": COLUMNS}), tmp_path / "out")
    assert [r["reasons"] for r in rows(tmp_path / "out" / "quarantine")] == [["malformed_row"]]


def test_what_is_quarantined_meets_its_contract(tmp_path):
    write(tmp_path / "log.csv", [GOOD, {**GOOD, "w": "x", "item_id": None}])
    ingest(platform(tmp_path, {"path": "log.csv", "columns": COLUMNS}), tmp_path / "out")
    (part,) = (tmp_path / "out" / "quarantine").glob("*.parquet")
    with connect(tmp_path / "scratch") as con:
        assert validate(con.read_parquet(part), QUARANTINE, name="quarantine") == []


def test_every_code_says_what_is_wrong_and_what_to_do():
    for code, reason in REASONS.items():
        assert reason.code == code
        assert min(len(reason.meaning), len(reason.fix)) > 15
