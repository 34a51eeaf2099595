"""A quarantined row carries every reason it breaks, each with words for what to do."""

from __future__ import annotations

import pytest

from hier_dag.config.sources import Links
from hier_dag.ingest.connection import connect
from hier_dag.ingest.links import ingest_links, link_inputs
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


EVENTS = {"weight": "w", "event_time": "at", "position": "n", "behavior": "b"}
SOUND = {"user_id": "u1", "item_id": "i1", "b": "view", "w": "1", "at": "2024-05-01T00:00:00Z", "n": "1"}
CANARIES: dict[str, dict[str, str | None]] = {
    "malformed_row": {},  # a line of its own, see below
    "null_user": {"user_id": None},
    "null_item": {"item_id": None},
    "long_user": {"user_id": "u" + "1" * 20},
    "long_item": {"item_id": "i" + "1" * 20},
    "bad_encoding": {"user_id": "u1\x07"},
    "user_pattern": {"user_id": "i1"},
    "item_pattern": {"item_id": "u1"},
    "unknown_behavior": {"b": "clik"},
    "bad_weight": {"w": "-1"},
    "weight_range": {"w": "1000"},
    "bad_time": {"at": "soon"},
    "early_time": {"at": "1970-01-01"},
    "future_time": {"at": "2031-01-01"},
    "bad_position": {"n": "first"},
}
LINKS = {
    "null_entity": ("item_entity", "item_id,entity_id\ni,\n"),
    "long_entity": ("entity_names", f"id,name\n{'e' * 20},name\n"),
    "null_relation": ("entity_entity", "head,tail,kind\na,b,\n"),
    "null_name": ("item_names", "id,name\ni, \n"),
    "self_edge": ("user_user", "user_id,other_id\nu,u\n"),
}


def test_every_code_of_an_event_has_a_row_that_is_given_it(tmp_path):
    lines = [SOUND, *({**SOUND, **change} for change in CANARIES.values() if change)]
    lines += [{**SOUND, "user_id": "u9", "n": str(n)} for n in range(5)]
    write(tmp_path / "log.csv", lines)
    with (tmp_path / "log.csv").open("a") as log:
        log.write("not,a,row\n")
    source = {"path": "log.csv", "columns": EVENTS, "weight_range": {"max": 100}}
    source |= {"patterns": {"user_id": "^u", "item_id": "^i"}}
    rules = {"behaviors": {"view": 1.0}, "max_events_per_user_day": 4, "ingest": {"max_id_length": 10}}
    ledger = ingest(platform(tmp_path, source, **rules), tmp_path / "out")
    assert ledger.quarantined == {**dict.fromkeys(CANARIES, 1), "burst": 5}
    assert all(r["reasons"] == [r["reason"]] for r in rows(tmp_path / "out" / "quarantine"))


@pytest.mark.parametrize("code", LINKS)
def test_every_code_of_a_link_has_a_row_that_is_given_it(tmp_path, code):
    kind, text = LINKS[code]
    (tmp_path / "links.csv").write_text(text)
    declared = {"path": "links.csv", **({"id": "id"} if kind.endswith("names") else {})}
    declared |= {"relation_column": "kind"} if kind == "entity_entity" else {}
    (tmp_path / "catalogue.csv").write_text("item_id\ni\n")
    config = platform(tmp_path, {"path": "log.csv"}, ingest={"max_id_length": 10})
    config = config.model_copy(update={"links": Links.model_validate({kind: declared})})
    with connect(tmp_path / "scratch") as con:
        ledger = ingest_links(config, link_inputs(config), tmp_path / "out", con=con)
    assert ledger.quarantined == {code: 1}


def test_every_code_has_a_canary():
    assert {*CANARIES, *LINKS, "burst"} == set(REASONS)


def test_every_code_says_what_is_wrong_and_what_to_do():
    for code, reason in REASONS.items():
        assert reason.code == code
        assert min(len(reason.meaning), len(reason.fix)) > 15
