"""Logs with known dirt: ten classes row by row, two in files of their own, and the truth about every row.

Rows are made with numpy, a file at a time; the same seed gives the same bytes. Each class takes one row in a
hundred. `wrong_type` needs text and is in the CSV files alone, at twice that share.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

CLASSES = ("null", "duplicate", "nan_inf", "future_time", "epoch_zero", "wrong_type", "bad_encoding",
           "unit_change", "bot_burst", "swapped_columns")  # fmt: skip
SHARE = 0.01
BURST, GROUP = 20, 200  # a user's rows a day that are still valid; rows of a bot's day
BEHAVIORS = {"view": 1.0, "favourite": 2.0, "order": 3.0}
BEGIN = np.datetime64("2026-01-01T00:00:00", "us")
SPAN = 150 * 86_400_000_000  # microseconds
_ITEMS, _ODD = 50_000, 1_000
_BYTES = "\u00ff\u00ff"  # becomes two bytes that are not UTF-8
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Names:
    """All ids as one dictionary, each kind from its own place on."""

    users: int
    items: int
    bots: int
    odd: int
    blank: int
    parquet: pa.Array
    csv: pa.Array


def names_for(rows: int) -> Names:
    """The ids of a log of that many rows."""
    users, bots = max(500, rows // 50), max(100, rows // GROUP)
    sound = [f"u{n:07}" for n in range(users)] + [f"i{n:06}" for n in range(_ITEMS)]
    sound += [f"u9{n:07}" for n in range(bots)]
    blank = [" ", "", "\t "]
    both = {
        mark: pa.array([*sound, *(f"u{n}{mark}" for n in range(_ODD)), *blank]) for mark in ("\ufffd", _BYTES)
    }
    return Names(0, users, users + _ITEMS, len(sound), len(sound) + _ODD, both["\ufffd"], both[_BYTES])


@dataclass
class Rows:
    """Rows of one file as arrays, and what is wrong with each.

    Attributes:
        user, item: places in the dictionary; -1 is null.
        behavior: place among the behaviours.
        weight: float64.
        time: microseconds since 1970.
        kind: 0 clean, else 1 + place among `CLASSES`.
        second: whether the second form of its class is meant, where there are two.
    """

    user: Ints
    item: Ints
    behavior: Ints
    weight: NDArray[np.float64]
    time: Ints
    kind: NDArray[np.int8]
    second: NDArray[np.bool_]


def make_rows(
    index: int,
    total: int,
    per_file: int,
    names: Names,
    text: bool,
    earlier: Rows | None = None,
    seed: int = 0,
) -> Rows:
    """The rows of one file.

    Args:
        index: place of the file.
        total: rows of all files.
        per_file: rows of this one.
        names: ids, as `names_for(total)` gives them.
        text: whether values of another type can be written.
        earlier: a file before it, which half of the duplicates repeat.
        seed: of the random numbers.
    """
    rng = np.random.default_rng([seed, index])
    n, step = per_file, SPAN // total
    users, bots = names.items, names.odd - names.bots
    start = int(BEGIN.astype("int64"))
    rows = Rows(
        user=rng.integers(0, users, n),
        item=names.items + rng.integers(0, _ITEMS, n),
        behavior=rng.integers(0, len(BEHAVIORS), n),
        weight=np.round(rng.uniform(0.5, 100, n), 2),
        time=start + (index * n + np.arange(n)) * step,
        kind=np.zeros(n, np.int8),
        second=np.arange(n) % 2 == 1,
    )
    count = int(n * SHARE)
    # The first rows stay clean, so that every duplicate has something to repeat.
    places = n // 20 + rng.permutation(n - n // 20)
    for k, name in enumerate(CLASSES, start=1):
        size = count * (2 * text if name == "wrong_type" else 1)
        mine, places = np.sort(places[:size]), places[size:]
        rows.kind[mine] = k
        _spoil(rows, name, mine, names, rng, index * bots // max(1, total // n))
    _repeat(rows, earlier, rng)
    return rows


def _spoil(rows: Rows, name: str, at: Ints, names: Names, rng: np.random.Generator, bot: int) -> None:
    second, n = rows.second[at], len(at)
    if name == "null":
        value = np.where(rng.random(n) < 0.5, -1, names.blank + rng.integers(0, 3, n))
        rows.user[at] = np.where(second, rows.user[at], value)
        rows.item[at] = np.where(second, value, rows.item[at])
    elif name == "nan_inf":
        rows.weight[at] = np.where(second, np.where(rng.random(n) < 0.5, np.inf, -np.inf), np.nan)
    elif name == "future_time":
        rows.time[at] += 40 * SPAN // 10
    elif name == "epoch_zero":
        rows.time[at] = at  # microseconds after 1970
    elif name == "bad_encoding":
        rows.user[at] = names.odd + rng.integers(0, _ODD, n)
    elif name == "unit_change":
        rows.weight[at] *= 1000
    elif name == "swapped_columns":
        rows.user[at], rows.item[at] = rows.item[at].copy(), rows.user[at].copy()
    elif name == "bot_burst":
        # Groups of one user and day; a short rest joins the last group.
        group = np.minimum(np.arange(n) // GROUP, max(0, n // GROUP - 1))
        day = 86_400_000_000
        rows.user[at] = names.bots + bot + group
        rows.time[at] = rows.time[at[group * GROUP]] // day * day + np.arange(n) * 1_000


def _repeat(rows: Rows, earlier: Rows | None, rng: np.random.Generator) -> None:
    at = np.flatnonzero(rows.kind == 1 + CLASSES.index("duplicate"))
    parts = [(rows, at)] if earlier is None else [(rows, at[::2]), (earlier, at[1::2])]
    for origin, mine in parts:
        clean = np.flatnonzero(origin.kind == 0)
        before = np.searchsorted(clean, mine) if origin is rows else len(clean)
        source = clean[(rng.random(len(mine)) * before).astype(np.int64)]
        for column in ("user", "item", "behavior", "weight", "time"):
            getattr(rows, column)[mine] = getattr(origin, column)[source]


def as_table(rows: Rows, names: Names, text: bool) -> pa.Table:
    """The raw table of a file: uid, iid, action, qty, at."""
    known = names.csv if text else names.parquet
    behaviors = pa.DictionaryArray.from_arrays(pa.array(rows.behavior, pa.int32()), list(BEHAVIORS))
    columns: dict[str, Any] = {"uid": _ids(rows.user, known), "iid": _ids(rows.item, known)}
    columns |= {"action": behaviors.cast(pa.string()), "qty": pa.array(rows.weight)}
    columns["at"] = pa.array(rows.time).cast(pa.timestamp("us", "UTC"))
    if not text:
        return pa.table(columns)
    wrong = rows.kind == 1 + CLASSES.index("wrong_type")
    quantity = pc.cast(columns["qty"], pa.string())
    when = pc.cast(columns["at"], pa.string())
    columns["qty"] = pc.if_else(pa.array(wrong & ~rows.second), "many", quantity)
    columns["at"] = pc.if_else(pa.array(wrong & rows.second), "soon", when)
    return pa.table(columns)


def _ids(places: Ints, known: pa.Array) -> pa.Array:
    return known.take(pa.array(places, mask=places < 0))


def write_raw(table: pa.Table, path: Path) -> None:
    """Writes a raw table as Parquet or, with bytes that are not UTF-8 where they are meant, as CSV."""
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return
    sink = pa.BufferOutputStream()
    pacsv.write_csv(table, sink)
    path.write_bytes(sink.getvalue().to_pybytes().replace(_BYTES.encode(), b"\xff\xfe"))


def truth_of(rows: Rows, names: Names, file: int) -> pa.Table:
    """What must become of every row of a file.

    Returns:
        file int32, row int64, class string, reason and column string (null where the row is not refused);
        user_id, item_id, behavior string, weight float32, event_time of clean rows, else null.
    """
    nulls = np.where(rows.second, "null_item", "null_user"), np.where(rows.second, "iid", "uid")
    wrong = np.where(rows.second, "bad_time", "bad_weight"), np.where(rows.second, "at", "qty")
    said: dict[str, tuple[Any, Any]] = {
        "null": nulls, "wrong_type": wrong, "duplicate": ("", ""), "nan_inf": ("bad_weight", "qty"),
        "future_time": ("future_time", "at"), "epoch_zero": ("early_time", "at"),
        "bad_encoding": ("bad_encoding", "uid"), "unit_change": ("weight_range", "qty"),
        "bot_burst": ("burst", "uid"), "swapped_columns": ("user_pattern", "uid"),
    }  # fmt: skip
    reason, column = np.full(len(rows.kind), "", object), np.full(len(rows.kind), "", object)
    for k, name in enumerate(CLASSES, start=1):
        mine = rows.kind == k
        for target, value in zip((reason, column), said[name], strict=True):
            target[mine] = value[mine] if isinstance(value, np.ndarray) else value
    clean = pa.array(rows.kind == 0)
    product = rows.weight * np.array(list(BEHAVIORS.values()))[rows.behavior]
    canonical = as_table(rows, names, text=False)
    table = {
        "file": pa.array(np.full(len(rows.kind), file, np.int32)),
        "row": pa.array(np.arange(1, len(rows.kind) + 1)),
        "class": pa.array(np.array(["clean", *CLASSES], object)[rows.kind]),
        "reason": pa.array(reason, mask=reason == ""),
        "column": pa.array(column, mask=column == ""),
        "user_id": canonical["uid"],
        "item_id": canonical["iid"],
        "behavior": canonical["action"],
        "weight": pa.array(np.where(np.isfinite(product), product, 0).astype(np.float32)),
        "event_time": canonical["at"],
    }
    return pa.table({k: pc.if_else(clean, v, None) if k in _VALUES else v for k, v in table.items()})


_VALUES = ("user_id", "item_id", "behavior", "weight", "event_time")
