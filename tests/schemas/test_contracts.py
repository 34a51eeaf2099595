"""A table that breaks its contract is told every rule it breaks, with the exact count and some values."""

from __future__ import annotations

import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.describe import table_schema
from schemas.embeddings import EMBEDDINGS
from schemas.events import EVENTS, QUARANTINE
from schemas.links import LINK_CONTRACTS
from schemas.nodes import ITEMS, USERS
from schemas.splits import SPLITS
from schemas.validate import validate


def broken(engine, columns, contract):
    """{(column, rule): count} of a table made of these columns."""
    table = engine.create_table("t", pa.table(columns), overwrite=True)
    return {(f.column, f.rule): f.count for f in validate(table, contract, name="t")}


def events(**changes):
    columns = {
        "user_id": ["a", "b", "c"],
        "item_id": ["x", "x", "y"],
        "behavior": ["view"] * 3,
        "weight": pa.array([1.0, 2.0, 0.5], pa.float32()),
        "event_time": pa.array([None, 0, 1], pa.timestamp("us", "UTC")),
        "position": pa.array([None, 1, 2], pa.int64()),
        "file": pa.array([0, 0, 1], pa.int32()),
        "row": pa.array([1, 2, 1], pa.int64()),
    }
    return columns | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        ({"user_id": ["a", None, ""]}, {("user_id", "null"): 1, ("user_id", "empty"): 1}),
        ({"item_id": pa.array([1, 2, 3])}, {("item_id", "wrong_type"): 1}),
        ({"extra": [1, 2, 3]}, {("extra", "unexpected_column"): 1}),
        (
            {"weight": pa.array([0.0, math.nan, math.inf], pa.float32())},
            {("weight", "too_small"): 2, ("weight", "not_finite"): 2},
        ),
        ({"row": pa.array([1, 1, 0], pa.int64())}, {("row", "too_small"): 1, ("file,row", "duplicate"): 1}),
        ({"event_time": ["2024"] * 3}, {("event_time", "wrong_type"): 1}),
    ],
)
def test_events(engine, changes, expected):
    assert broken(engine, events(**changes), EVENTS) == expected


def test_equal_events_are_duplicates_even_where_time_and_position_are_null(engine):
    same = {k: [v[0], v[0], v[0]] if isinstance(v, list) else v for k, v in events().items()}
    same |= {"event_time": pa.nulls(3, pa.timestamp("us", "UTC")), "position": pa.nulls(3, pa.int64())}
    key = "user_id,item_id,behavior,event_time,position"
    assert broken(engine, same, EVENTS) == {(key, "duplicate"): 2}


def test_a_lacking_column_is_named_and_the_other_rules_still_run(engine):
    columns = events(weight=pa.array([1.0, -1.0, 1.0], pa.float32()))
    del columns["position"]
    assert broken(engine, columns, EVENTS) == {("position", "missing_column"): 1, ("weight", "too_small"): 1}


def test_quarantine(engine):
    columns = {
        "file": pa.array([0, 0], pa.int32()),
        "row": pa.array([1, 1], pa.int64()),
        "reason": ["null_user", None],
        "reasons": [["null_user", "bad_weight"], ["null_user"]],
        "column": ["user_id", None],
        "raw": ["{}", "{}"],
    }
    assert broken(engine, columns, QUARANTINE) == {("reason", "null"): 1, ("file,row", "duplicate"): 1}
    columns |= {"reason": ["null_user", "bored"], "row": pa.array([1, 2], pa.int64())}
    assert broken(engine, columns, QUARANTINE) == {
        ("reason", "not_allowed"): 1,
        ("reason,reasons", "not_first"): 1,
    }


def test_social_edges(engine):
    columns = {"user_id": ["a", "b", "c"], "other_id": ["b", "a", "c"], "relation": ["knows"] * 3}
    columns |= {"file": pa.array([0] * 3, pa.int32()), "row": pa.array([1, 2, 3], pa.int64())}
    expected = {("user_id,other_id", "self_edge"): 1, ("user_id,other_id", "wrong_order"): 1}
    assert broken(engine, columns, LINK_CONTRACTS["user_user"]) == expected


def test_node_numbers_are_dense_and_ids_unique(engine):
    columns = {"user": pa.array([0, 1, 1, 7]), "user_id": ["a", "b", "c", "a"]}
    assert broken(engine, columns, USERS) == {
        ("user", "duplicate"): 1,
        ("user_id", "duplicate"): 1,
        ("user", "not_dense"): 1,
    }
    items = {"item": pa.array([1, 0]), "item_id": ["a", "b"], "name": ["Bar", None]}
    assert broken(engine, items, ITEMS) == {}


def test_splits(engine):
    good = {
        "user": pa.array([0, 0, 1]),
        "item": pa.array([0, 1, 0]),
        "split": pa.array([0, 1, 2], pa.int8()),
        "shot_rank": pa.array([1, 0, 0], pa.int32()),
        "share_rank": [0.0, 0.5, 0.999],
        "weight": pa.array([1.0] * 3, pa.float32()),
        "first": pa.array([None, 0, 1], pa.timestamp("us", "UTC")),
    }
    assert broken(engine, good, SPLITS) == {}
    bad = good | {
        "item": pa.array([1, 1, 0]),
        "split": pa.array([0, 1, 3], pa.int8()),
        "share_rank": [1.0, -0.1, 0],
    }
    assert broken(engine, bad, SPLITS) == {
        ("split", "not_allowed"): 1,
        ("share_rank", "too_small"): 1,
        ("share_rank", "too_large"): 1,
        ("user,item", "duplicate"): 1,
    }


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 0, 2, 1], [1, 1, 2, 3], [2, 3, 1, 2]])
def test_a_key_is_unique_or_not_in_whatever_order_its_rows_lie(engine, order):
    users = {"user": pa.array([0, 0, 1, 1]), "item": pa.array([0, 1, 0, 1])}
    rows = {
        "split": pa.array([0] * 4, pa.int8()),
        "shot_rank": pa.array([1] * 4, pa.int32()),
        "share_rank": [0.5] * 4,
        "weight": pa.array([1.0] * 4, pa.float32()),
        "first": pa.nulls(4, pa.timestamp("us", "UTC")),
    }
    table = {**{k: v.take(pa.array(order)) for k, v in users.items()}, **rows}
    copies = 4 - len(set(order))
    assert broken(engine, table, SPLITS) == ({("user,item", "duplicate"): copies} if copies else {})


def vectors(values):
    return {"id": [str(n) for n in range(len(values))], "vector": values, "origin": ["trained"] * len(values)}


def test_embeddings(engine, tmp_path):
    fixed = pa.array([[1, 2], [-1, 0]], pa.list_(pa.float32(), 2))
    assert broken(engine, vectors(fixed), EMBEDDINGS) == {}
    pq.write_table(pa.table(vectors(fixed)), tmp_path / "v.parquet")
    assert validate(engine.read_parquet(str(tmp_path / "v.parquet")), EMBEDDINGS, name="v") == []
    bad = pa.array(
        [[1, 2, 3], [0, 0, 0], [1, math.nan, 1], [math.inf, -math.inf, 1], [1, None, 2], [1, 2], None],
        pa.list_(pa.float32()),
    )
    assert broken(engine, vectors(bad), EMBEDDINGS) == {
        ("vector", "null"): 1,
        ("vector", "uneven_vector"): 1,
        ("vector", "not_finite"): 3,
        ("vector", "zero_vector"): 1,
    }
    doubles = pa.array([[1.0, 2.0]], pa.list_(pa.float64()))
    assert broken(engine, vectors(doubles), EMBEDDINGS) == {("vector", "wrong_type"): 1}
    repeated = vectors(fixed) | {"id": ["a", "a"], "origin": ["trained", "guess"]}
    assert broken(engine, repeated, EMBEDDINGS) == {("id", "duplicate"): 1, ("origin", "not_allowed"): 1}
    three = pa.array([[1, 2]] * 3, pa.list_(pa.float32(), 2))
    assert broken(engine, vectors(three) | {"id": ["b", "a", "c"]}, EMBEDDINGS) == {}
    assert broken(engine, vectors(three) | {"id": ["b", "a", "b"]}, EMBEDDINGS) == {("id", "duplicate"): 1}


@pytest.mark.parametrize("contract", [EVENTS, QUARANTINE, SPLITS, USERS, *LINK_CONTRACTS.values()])
def test_an_empty_table_of_the_right_types_holds(engine, contract):
    types = {n: c.dtype.type if c.dtype else "array<string>" for n, c in contract.columns.columns.items()}
    table = engine.create_table("e", schema=types, overwrite=True)
    assert validate(table, contract, name="e") == []


def test_a_failure_says_where_what_how_often_and_shows_some(engine):
    columns = events(weight=pa.array([-1.0, -2.0, 1.0], pa.float32()))
    (failure,) = validate(engine.create_table("t", pa.table(columns), overwrite=True), EVENTS, name="events")
    assert str(failure) == "events.weight: too_small, 2 row(s) (for example -2.0, -1.0)"
    assert failure.as_dict()["sample"] == ["-2.0", "-1.0"]


def test_every_column_of_a_contract_is_described(tmp_path):
    pq.write_table(pa.table(events()), tmp_path / "t.parquet")
    described = table_schema(tmp_path / "t.parquet", EVENTS.descriptions)
    assert [d["name"] for d in described] == list(events())
    assert described[4]["type"] == "timestamp[us, tz=UTC]"
    assert all(d["description"] for d in described)
