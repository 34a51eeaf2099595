"""Days on which a user has more rows than a domain allows: bots, and jobs that ran twice.

Days are UTC and counted within one raw file, so that a later file never changes what an earlier one gave.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from hier_dag.engine_functions import epoch_us

_DAY = 86_400_000_000  # microseconds
BUSY = "busy_days"
"""Temporary table of the engine that holds them while a file is written."""


@dataclass(frozen=True)
class BurstRule:
    """How busy a user may be.

    Attributes:
        limit: valid rows of a user's day above which all of that day's rows are refused.
        column: source column of the user.
    """

    limit: int
    column: str


def busy_days(con: Backend, valid: ir.Table, rule: BurstRule) -> ir.Table:
    """The days that break the rule: user_id, day.

    Args:
        con: the engine; gets the temporary table `BUSY`.
        valid: user_id, event_time, copies (how many equal rows each stands for).
        rule: the limit.
    """
    days = valid.mutate(day=_day(valid)).group_by("user_id", "day")
    counts = days.aggregate(events=lambda t: t.copies.sum())
    return con.create_table(
        BUSY, counts.filter(counts.events > rule.limit).drop("events"), temp=True, overwrite=True
    )


def drop_busy(con: Backend, rows: str) -> None:
    """Deletes the valid rows of the busy days from a temporary table: user_id, event_time, refused."""
    # Deleted, not left out by a join: the table is asked several times.
    con.raw_sql(
        f"DELETE FROM {rows} USING {BUSY} WHERE refused = 0 AND {rows}.user_id = {BUSY}.user_id"
        f" AND epoch_us(event_time) // {_DAY} = {BUSY}.day"
    )


def with_bursts(judged: ir.Table, busy: ir.Table, rule: BurstRule) -> ir.Table:
    """Judged rows with the verdict that counts bursts too.

    Args:
        judged: as `judge` gives it; all rows or some.
        busy: as `busy_days` gives it.
        rule: the limit.
    """
    joined = judged.left_join(
        busy, [judged.user_id == busy.user_id, _day(judged) == busy.day], rname="busy_{name}"
    )
    burst, first = joined.busy_user_id.notnull(), joined.reason.isnull()
    alone = ibis.array(["burst"])
    return joined.mutate(
        reason=ibis.ifelse(first & burst, "burst", joined.reason),
        column=ibis.ifelse(first & burst, rule.column, joined.column),
        reasons=ibis.ifelse(burst, ibis.ifelse(first, alone, joined.reasons.concat(alone)), joined.reasons),
    ).select(*judged.columns)


def _day(t: ir.Table) -> ir.Column:
    # Not the calendar's day: the engine asks its time zone library for that, row by row.
    return epoch_us(t.event_time) // _DAY
