"""A table that holds for every contract, and for every rule a change that breaks this rule and no other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from schemas.validate import Contract

Columns = dict[str, pa.Array]
N = 6
WHEN = pa.array(range(N), pa.timestamp("us", "UTC"))


def texts(prefix: str) -> pa.Array:
    return pa.array([f"{prefix}{n}" for n in range(N)])


def numbers(kind: pa.DataType, start: int = 0) -> pa.Array:
    return pa.array(range(start, start + N), kind)


def _place() -> Columns:
    return {"file": numbers(pa.int32()), "row": numbers(pa.int64(), 1)}


def _vectors(kind: pa.DataType, values: list[Any] | None = None) -> pa.Array:
    return pa.array(values or [[1.0 + n, -2.0] for n in range(N)], pa.list_(kind))


def _nodes(kind: str, *names: str) -> Columns:
    return {kind: numbers(pa.int64()), f"{kind}_id": texts(kind), **{n: texts(n) for n in names}}


VALID: dict[str, Columns] = {
    "EVENTS": {
        "user_id": texts("u"), "item_id": texts("i"), "behavior": texts("b"),
        "weight": pa.array([1.0] * N, pa.float32()), "event_time": WHEN, "position": numbers(pa.int64()),
        **_place(),
    },
    "QUARANTINE": {
        **_place(), "reason": pa.array(["bad_weight"] * N),
        "reasons": pa.array([["bad_weight", "burst"]] * N),
        "column": texts("c"), "raw": texts("{}"),
    },
    "ITEM_ENTITY": {"item_id": texts("i"), "entity_id": texts("e"), "relation": texts("r"), **_place()},
    "ENTITY_ENTITY": {"head": texts("e"), "relation": texts("r"), "tail": texts("e"), **_place()},
    "USER_USER": {"user_id": texts("a"), "other_id": texts("b"), "relation": texts("r"), **_place()},
    "ENTITY_NAMES": {"entity_id": texts("e"), "name": texts("n"), **_place()},
    "ITEM_NAMES": {"item_id": texts("i"), "name": texts("n"), **_place()},
    "CATALOGUE": {"domain": texts("d"), "item_id": texts("i"), **_place()},
    "USERS": _nodes("user"),
    "ITEMS": _nodes("item", "name"),
    "ENTITIES": _nodes("entity", "name"),
    "CATALOGUES": {"domain": texts("d"), "item": numbers(pa.int64())},
    "AUDIENCES": {"domain": texts("d"), "user": numbers(pa.int64())},
    "SPLITS": {
        "user": numbers(pa.int64()), "item": numbers(pa.int64()), "split": pa.array([0, 1, 2] * 2, pa.int8()),
        "shot_rank": numbers(pa.int32()), "share_rank": pa.array([0.5] * N),
        "weight": pa.array([1.0] * N, pa.float32()), "first": WHEN,
    },
    "EMBEDDINGS": {
        "id": texts("u"), "vector": _vectors(pa.float32()),
        "origin": pa.array(["trained", "kg_inferred", "fallback"] * 2),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Canary:
    """A table that breaks a rule.

    Attributes:
        columns: the table.
        count: rows that break it.
        also: rules that nothing can break this one without breaking, with their counts.
    """

    columns: Columns
    count: int
    also: dict[tuple[str, str], int] = field(default_factory=dict)


def rules_of(contract: Contract) -> Iterator[tuple[str, str]]:
    """(column or columns, rule) of everything that a contract asks."""
    for name, column in contract.columns.columns.items():
        yield name, "missing_column"
        if column.dtype is not None:
            yield name, "wrong_type"
        if not column.nullable:
            yield name, "null"
        for check in column.checks:
            yield name, str(check.name)
    if contract.columns.strict:
        yield "surplus", "unexpected_column"
    for rule in contract.rules:
        yield ",".join(rule.columns), rule.code


def put(columns: Columns, name: str, *values: Any) -> Columns:
    """The table with its first values in a column replaced."""
    kept = columns[name].to_pylist()
    return {**columns, name: pa.array([*values, *kept[len(values) :]], columns[name].type)}


def _missing(t: Columns, name: str) -> Canary:
    return Canary({k: v for k, v in t.items() if k != name}, 1)


def _wrong_type(t: Columns, name: str) -> Canary:
    if name == "vector":
        return Canary({**t, name: _vectors(pa.float64())}, N)
    if name == "reasons":
        return Canary({**t, name: texts("bad_weight")}, N)
    other = numbers(pa.int16()) if pa.types.is_string(t[name].type) else texts("x")
    return Canary({**t, name: other}, 1)


def _empty(t: Columns, name: str) -> Canary:
    # No text is smaller than the empty one.
    also = {("user_id,other_id", "wrong_order"): 1} if name == "other_id" else {}
    return Canary(put(t, name, ""), 1, also)


def _too_small(t: Columns, name: str) -> Canary:
    low = -1 if name not in ("row", "weight") else 0
    if name in ("user", "item", "entity") and f"{name}_id" in t:
        return Canary(put(t, name, -1), 1, {(name, "not_dense"): 1})
    return Canary(put(put(t, name, low), name, low, low - 1), 2)


def _not_allowed(t: Columns, name: str) -> Canary:
    if name == "split":
        return Canary(put(t, name, 3, -1), 2)
    if name == "reason":
        return Canary(put(put(t, name, "bored", "shy"), "reasons", ["bored"], ["shy"]), 2)
    return Canary(put(t, name, "guess", "x"), 2)


def _duplicate(t: Columns, names: str) -> Canary:
    for name in names.split(","):
        value = t[name][0].as_py()
        t = put(t, name, value, value, value)
    return Canary(t, 2)


def _self_edge(t: Columns, _: str) -> Canary:
    return Canary(put(t, "other_id", *t["user_id"].to_pylist()[:2]), 2)


def _wrong_order(t: Columns, _: str) -> Canary:
    users, others = (t[c].to_pylist()[:2] for c in ("user_id", "other_id"))
    return Canary(put(put(t, "user_id", *others), "other_id", *users), 2)


def _not_finite(t: Columns, name: str) -> Canary:
    if name == "vector":
        return Canary(put(t, name, [math.nan, 1.0], [1.0, -math.inf], [None, 1.0]), 3)
    return Canary(put(t, name, math.inf, math.inf), 2)


CANARIES: dict[str, Callable[[Columns, str], Canary]] = {
    "missing_column": _missing,
    "unexpected_column": lambda t, name: Canary({**t, name: texts("x")}, 1),
    "wrong_type": _wrong_type,
    "null": lambda t, name: Canary(put(t, name, None), 1),
    "empty": _empty,
    "too_small": _too_small,
    "too_large": lambda t, name: Canary(put(t, name, 1.0, 7.5), 2),
    "not_finite": _not_finite,
    "not_allowed": _not_allowed,
    "duplicate": _duplicate,
    "not_dense": lambda t, name: Canary(put(t, name, N), 1),
    "self_edge": _self_edge,
    "wrong_order": _wrong_order,
    "not_first": lambda t, _: Canary(put(t, "reasons", ["burst", "bad_weight"], []), 2),
    "uneven_vector": lambda t, name: Canary(put(t, name, [1.0], [1.0] * 1), 2),
    "zero_vector": lambda t, name: Canary(put(t, name, [0.0, -0.0], [0.0, 0.0]), 2),
}
