"""A column that is renamed, retyped or lost, and a value that is new: what is said, and with which rows."""

from __future__ import annotations

import pytest

from hier_dag.errors import ContractError, SourceError
from hier_dag.ingest.connection import connect
from hier_dag.ingest.fingerprint import fingerprint
from hier_dag.ingest.readers import read_raw
from hier_dag.ingest.schema_drift import ColumnChange, schema_changes
from tests.ingest.helpers import ingest, platform, write

FORMATS = ["log.parquet", "log.csv", "log.csv.gz", "log.jsonl", "log.jsonl.gz", "log.sqlite"]
ROWS = [{"user_id": f"u{n:02}", "item_id": f"i{n:02}", "action": "view", "note": "x"} for n in range(40)]


def source(name, **more):
    where = {"sql": f"sqlite:///{name}", "table": "log"} if name.endswith("sqlite") else {"path": name}
    return {**where, "columns": {"behavior": "action"}, **more}


def refusal(tmp_path, name, records, *, declared=None, **domain):
    write(tmp_path / name, records)
    with pytest.raises(ContractError) as caught:
        ingest(platform(tmp_path, declared or source(name), **domain), tmp_path / "out")
    e = caught.value
    assert e.domain == "shop"
    assert name in str(e.file)
    return e


@pytest.mark.parametrize("name", FORMATS)
def test_a_renamed_column_is_named_with_the_nearest_name_and_rows(tmp_path, name):
    e = refusal(tmp_path, name, [{("acton" if k == "action" else k): v for k, v in r.items()} for r in ROWS])
    assert isinstance(e, SourceError)
    assert e.column == "action"
    assert "did you mean 'acton'" in str(e)
    assert e.detail["sample"][:2] == [
        {"user_id": f"u{n:02}", "item_id": f"i{n:02}", "acton": "view", "note": "x"} for n in range(2)
    ]
    assert len(e.detail["sample"]) == 5
    assert "'user_id': 'u00'" in str(e)


@pytest.mark.parametrize("name", FORMATS)
def test_a_new_value_is_named_with_its_count_the_allowed_ones_and_rows(tmp_path, name):
    records = [*ROWS[:37], *({**r, "action": "views"} for r in ROWS[37:])]
    limits = {"max_quarantined_by_reason": {"unknown_behavior": 0}}
    e = refusal(tmp_path, name, records, behaviors={"view": 1.0, "order": 3.0}, **limits)
    assert e.column == "action"
    assert "'views' (3)" in str(e)
    assert "nearest is 'view'" in str(e)
    assert [s["row"] for s in e.detail["sample"]] == [38, 39, 40]


@pytest.mark.parametrize("name", FORMATS)
def test_columns_that_are_not_declared_are_refused_where_that_is_asked(tmp_path, name):
    e = refusal(tmp_path, name, ROWS, declared=source(name, extra_columns="refuse"))
    assert (e.column, e.detail["columns"]) == ("note", ["note"])
    assert len(e.detail["sample"]) == 5


def test_a_key_of_the_last_line_alone_is_refused_as_well(tmp_path):
    records = [*({k: v for k, v in r.items() if k != "note"} for r in ROWS * 50), {**ROWS[0], "late": 1}]
    e = refusal(tmp_path, "log.jsonl", records, declared=source("log.jsonl", extra_columns="refuse"))
    assert e.detail["columns"] == ["late", "note"]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [("user_id", 1.5, "float64"), ("action", [1], "array"), ("w", True, "boolean"), ("at", 7, "int64")],
)
def test_a_retyped_column_shows_its_type_and_rows(tmp_path, key, value, words):
    records = [{**r, "w": 1.0, "at": "2024-05-01", key: value} for r in ROWS]
    columns = {"behavior": "action", "weight": "w", "event_time": "at"}
    declared = {"path": "log.parquet", "columns": columns}
    e = refusal(tmp_path, "log.parquet", records, declared=declared)
    assert e.column == key
    assert words in str(e)
    assert e.detail["sample"][0][key] == str(value)


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("log.parquet", {"n": "int64", "flag": "bool"}),
        ("log.csv", {"n": "text", "flag": "text"}),
        ("log.jsonl", {"n": "integer", "flag": "boolean"}),
    ],
)
def test_every_column_is_recorded_mapped_or_not(tmp_path, name, types):
    write(tmp_path / name, [{**r, "n": n, "flag": n > 3} for n, r in enumerate(ROWS)])
    config = platform(tmp_path, source(name))
    declared = config.domains["shop"].sources[0]
    (raw,) = fingerprint(config, [declared], "shop")
    mapping = {"user_id": "user_id", "item_id": "item_id"}
    with connect(tmp_path / "scratch") as con:
        table = read_raw(con, config, declared, raw, mapping, frozenset(mapping), tmp_path / "staged")
    assert set(table.columns) == {*ROWS[0], "n", "flag"}
    assert types.items() <= dict(table.columns).items()


def test_changes_of_the_schema_against_the_last_version():
    last = [("a", {"u": "text", "w": "integer"}), ("b", {"u": "text", "w": "number", "old": "text"})]
    now = [
        ("a", {"u": "text", "w": "integer"}),  # as it was
        ("b", {"u": "text", "w": "number"}),  # lost a column that it had
        ("c", {"u": "text", "w": "number"}),  # a new file of a shape that there was
        ("d", {"u": "integer", "w": "integer", "x": "text"}),
        ("e", {"u": "integer"}),
        ("f", {}),  # no row, so nothing is known
    ]
    assert schema_changes(now, last) == [
        ColumnChange("old", "lost", "text", None, "b"),
        ColumnChange("u", "retyped", "text", "integer", "d"),
        ColumnChange("x", "new", None, "text", "d"),
        ColumnChange("w", "lost", "integer|number", None, "e"),
    ]
    assert schema_changes(now, []) == []
    assert schema_changes(last, last) == []
