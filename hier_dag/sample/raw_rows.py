"""Turns blocks of numbers into the raw columns of a log, in the log's own names and clock."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hier_dag.sample.events import EventBlock
from hier_dag.sample.faults import CLEAN, KINDS, FaultyBlock
from hier_dag.sample.items import Items
from hier_dag.sample.services import BEHAVIORS, Service
from hier_dag.sample.streams import IntArray
from hier_dag.sample.users import user_ids

_FAR_FUTURE_MILLI = 4_102_444_800_000  # 1 January 2100
_UNKNOWN_BEHAVIOR = "hover"
_UNREADABLE_TIME = "not a time"


def raw_rows(block: FaultyBlock, service: Service, items: Items, users: int) -> pa.Table:
    """The rows of one block as the service logs them.

    Returns:
        The log's columns in its order. Parquet logs are typed; in all others every column is text, and
        null where the log has nothing. Times of typed columns are UTC timestamps in milliseconds.
    """
    columns = {
        "user_id": lambda: _user(block, users),
        "item_id": lambda: _item(block, items),
        "behavior": lambda: _behavior(block),
        "weight": lambda: _weight(block, service),
        "event_time": lambda: _time(block, service),
    }
    return pa.table({name: columns[canonical]() for canonical, name in service.columns.items()})


def clean_rows(events: EventBlock, items: Items, users: int) -> pa.Table:
    """The rows in canonical columns: user_id, item_id, behavior, event_time (UTC milliseconds)."""
    return pa.table(
        {
            "user_id": user_ids(events.user, users),
            "item_id": items.ids.take(pa.array(events.item)),
            "behavior": pa.array(BEHAVIORS).take(pa.array(events.behavior)),
            "event_time": _timestamps(events.milli),
        }
    )


def number_rows(block: FaultyBlock, service: Service, canonical: str) -> pa.Array | None:
    """Which rows hold a number in a column (JSON writes those without quotes); None for a text column."""
    if canonical == "event_time" and service.clock in ("s", "ms"):
        return pa.array(~_is(block, "unparseable_time"))
    if canonical == "weight":
        return pa.array(~_is(block, "nan_weight"))
    return None


def _is(block: FaultyBlock, *kinds: str) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.isin(block.fault, [KINDS.index(kind) for kind in kinds])


def _spoilt(block: FaultyBlock, values: pa.Array, faults: dict[str, str | None]) -> pa.Array:
    for kind, wrong in faults.items():
        values = pc.if_else(pa.array(_is(block, kind)), pa.scalar(wrong, values.type), values)
    return values


def _user(block: FaultyBlock, users: int) -> pa.Array:
    ids = user_ids(block.events.user, users)
    return _spoilt(block, ids, {"null_user_id": None, "empty_user_id": ""})


def _item(block: FaultyBlock, items: Items) -> pa.Array:
    ids = items.ids.take(pa.array(block.events.item))
    return _spoilt(block, ids, {"null_item_id": None, "empty_item_id": ""})


def _behavior(block: FaultyBlock) -> pa.Array:
    names = pa.array(BEHAVIORS).take(pa.array(block.events.behavior))
    return _spoilt(block, names, {"unknown_behavior": _UNKNOWN_BEHAVIOR})


def _weight(block: FaultyBlock, service: Service) -> pa.Array:
    weight = block.events.quantity.copy()
    wrong = np.flatnonzero(_is(block, "non_positive_weight"))
    weight[wrong] = np.where(wrong % 2 == 0, 0.0, -1.0)
    weight[_is(block, "nan_weight")] = np.nan
    if service.format == "parquet":
        return pa.array(weight)
    text = pc.cast(pa.array(np.nan_to_num(weight).astype(np.int64)), pa.string())
    return _spoilt(block, text, {"nan_weight": "NaN"})


def _time(block: FaultyBlock, service: Service) -> pa.Array:
    milli = block.events.milli.copy()
    milli[_is(block, "epoch_zero_time")] = 0
    milli[_is(block, "far_future_time")] = _FAR_FUTURE_MILLI
    if service.clock == "timestamp":
        return _spoilt(block, _timestamps(milli), {"missing_time": None})
    if service.clock == "ms":
        text = pc.cast(pa.array(milli), pa.string())
    elif service.clock == "s":
        text = pc.cast(pa.array(milli // 1000), pa.string())
    else:
        text = _iso(milli // 1000)
    return _spoilt(block, text, {"unparseable_time": _UNREADABLE_TIME})


def _timestamps(milli: IntArray) -> pa.Array:
    return pa.array(milli).cast(pa.timestamp("ms", tz="UTC"))


def _iso(second: IntArray) -> pa.Array:
    written = np.datetime_as_string(second.astype("datetime64[s]"))
    return pc.binary_join_element_wise(pa.array(written), "Z", "")


def clean_count(block: FaultyBlock) -> int:
    """Rows without a fault."""
    return int((block.fault == CLEAN).sum())
