"""Counts a profile inside the engine: four grouped scans of the events, everything else on their results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.backends.duckdb import Backend

from hier_dag.engine_functions import epoch_us, md5_number_lower
from hier_dag.ingest.ledger import Ledger
from hier_dag.ingest.profile import EventProfile, TimeProfile
from hier_dag.ingest.sketch import SIZE, Sketch

TOP_USERS = 64
"""Users whose days are counted: no other can have more events in a day than the last of them has in all."""
MOST_BEHAVIORS = 1000
_OTHERS = "…"
_HOUR = 3_600_000_000  # microseconds
_DAY_HOURS = 24


def profile_events(con: Backend, files: Sequence[Path], ledger: Ledger) -> EventProfile:
    """Profiles the canonical events of one domain.

    Args:
        con: the engine; temporary tables named `profile_…` are left in it.
        files: the domain's Parquet files; none gives an empty profile.
        ledger: of the same ingest, for what became of the raw rows.
    """
    raw = EventProfile(
        rows_in=ledger.rows_in, quarantined=ledger.quarantined, deduplicated=ledger.deduplicated
    )
    if not files:
        return raw
    events = con.read_parquet([str(f) for f in files])
    users, items = _counted(con, events, "user_id"), _counted(con, events, "item_id")
    cells = _cells(con, events)
    user_activity, top = _activity(con, users)
    item_activity, _ = _activity(con, items)
    weights = _margin(cells, "octave")
    behaviors = sorted(_margin(cells, "behavior").items(), key=lambda b: (-b[1], b[0]))
    beyond = sum(n for _, n in behaviors[MOST_BEHAVIORS:])
    time = _time(cells)
    return replace(
        raw,
        rows=sum(weights.values()),
        behaviors=dict(behaviors[:MOST_BEHAVIORS]) | ({_OTHERS: beyond} if beyond else {}),
        user_activity=user_activity,
        item_activity=item_activity,
        weights={str(octave): n for octave, n in weights.items()},
        time=time,
        top_user_rows=top,
        top_user_day=_busiest_day(con, events, users) if time.days else 0,
        users_as_items=_both(con, users, items),
        user_ids=_sketch(con, users, sum(user_activity)),
        item_ids=_sketch(con, items, sum(item_activity)),
    )


def _counted(con: Backend, events: ir.Table, column: str) -> ir.Table:
    """Events of each id, as a table (id, n)."""
    grouped = events.group_by(id=events[column]).aggregate(n=events.count())
    return con.create_table(f"profile_{column}", grouped, temp=True, overwrite=True)


def _cells(con: Backend, events: ir.Table) -> pa.Table:
    """Events by behaviour, octave of the weight and hour since 1970: few rows; histograms are its margins."""
    micros = epoch_us(events.event_time)
    octave = events.weight.cast("float64").log2().floor().cast("int64")
    grouped = events.mutate(micros=micros).group_by(
        behavior=events.behavior, octave=octave, hour=micros // _HOUR
    )
    return con.to_pyarrow(
        grouped.aggregate(n=ibis._.count(), first=ibis._.micros.min(), last=ibis._.micros.max())
    )


def _margin(cells: pa.Table, by: str) -> dict[Any, int]:
    """Events by one of the cells' columns, in its order."""
    grouped = cells.group_by(by).aggregate([("n", "sum")]).sort_by(by).to_pydict()
    return dict(zip(grouped[by], grouped["n_sum"], strict=True))


def _activity(con: Backend, counted: ir.Table) -> tuple[tuple[int, ...], int]:
    """Ids by ⌊log2⌋ of their events, and the most events of one id."""
    octave = counted.n.cast("float64").log2().floor().cast("int64")
    grouped = counted.group_by(octave=octave).aggregate(ids=counted.count(), most=counted.n.max())
    found = con.to_pyarrow(grouped)
    bins = np.zeros(max(found["octave"].to_pylist(), default=-1) + 1, np.int64)
    bins[found["octave"].to_numpy()] = found["ids"].to_numpy()
    return tuple(bins.tolist()), max(found["most"].to_pylist(), default=0)


def _busiest_day(con: Backend, events: ir.Table, users: ir.Table) -> int:
    top = users.order_by(ibis.desc("n"), "id").limit(TOP_USERS)
    theirs = events.filter(events.event_time.notnull()).semi_join(top, events.user_id == top.id)
    day = epoch_us(theirs.event_time) // (_HOUR * _DAY_HOURS)
    days = theirs.group_by(user=theirs.user_id, day=day).aggregate(n=theirs.count())
    return int(con.to_pyarrow(days.n.max()).as_py() or 0)


def _both(con: Backend, users: ir.Table, items: ir.Table) -> int:
    # Numbers are left out: two services that number users and items from 1 share them without any mistake.
    shared = users.semi_join(items, "id")
    return int(con.to_pyarrow(shared.filter(~shared.id.re_search("^[0-9]+$")).count()).as_py())


def _sketch(con: Backend, counted: ir.Table, ids: int) -> Sketch:
    hashed = counted.select(hash=md5_number_lower(counted.id)).order_by("hash").limit(SIZE)
    return Sketch(ids, np.unique(con.to_pyarrow(hashed)["hash"].cast(pa.uint64()).to_numpy()))


def _time(cells: pa.Table) -> TimeProfile:
    by_hour = _margin(cells, "hour")
    timeless = by_hour.pop(None, 0)
    if not by_hour:
        return TimeProfile(timeless=timeless)
    hours = np.fromiter(by_hour, np.int64, len(by_hour))
    rows = np.fromiter(by_hour.values(), np.int64, len(by_hour))
    days, place = np.unique(hours // _DAY_HOURS, return_inverse=True)
    by_day = np.zeros(len(days), np.int64)
    np.add.at(by_day, place, rows)
    of_day = np.zeros(_DAY_HOURS, np.int64)
    np.add.at(of_day, hours % _DAY_HOURS, rows)
    dates = np.datetime_as_string(days.astype("datetime64[D]"), unit="D").tolist()
    return TimeProfile(
        first=_iso(pc.min(cells["first"]).as_py()),
        last=_iso(pc.max(cells["last"]).as_py()),
        timeless=timeless,
        days=dict(zip(dates, by_day.tolist(), strict=True)),
        longest_gap_days=int(np.diff(days).max(initial=1)) - 1,
        hours=tuple(of_day.tolist()),
    )


def _iso(micros: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat()
