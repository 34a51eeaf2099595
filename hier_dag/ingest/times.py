"""Event times from whatever a source writes: timestamps, ISO 8601 text, epoch counts as numbers or text."""

from __future__ import annotations

from datetime import UTC, datetime

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from hier_dag.engine_functions import UTC_MICROS, make_timestamp

_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_FIRST_MICRO, _LAST_MICRO = -62_135_596_800_000_000, 253_402_300_799_000_000  # years 1 to 9999
_MICROS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_WHOLE = r"^-?[0-9]{1,18}$"


def fits(kind: dt.DataType, unit: str) -> bool:
    """Whether a column of this type can hold times written in `unit` (iso, s, ms, us)."""
    if kind.is_timestamp() or kind.is_date():
        return True
    return kind.is_string() or (unit != "iso" and kind.is_numeric() and not kind.is_boolean())


def parsed(column: ir.Column, unit: str) -> dict[str, ir.Column]:
    """What `moment` needs of a time column that `fits`, read once a row; to be selected before it is used."""
    kind = column.type()
    if unit == "iso" or kind.is_timestamp() or kind.is_date():
        return {"moment": column.try_cast(UTC_MICROS)}  # without a zone it is UTC, the session's zone
    if kind.is_integer():
        return {"count": column.try_cast("int64" if kind != dt.uint64 else "decimal(38, 6)")}
    # Decimal, not double: microseconds since 1970 with a fraction do not fit a double. It is slow, so that
    # text which is a whole number goes by way of an integer.
    if not kind.is_string():
        return {"exact": column.try_cast("decimal(38, 6)")}
    whole = ibis.ifelse(column.re_search(_WHOLE), column, ibis.null("string"))
    rest = ibis.ifelse(column.re_search(_WHOLE), ibis.null("string"), column)
    return {"count": whole.try_cast("int64"), "exact": rest.try_cast("decimal(38, 6)")}


def moment(t: ir.Table, unit: str) -> ir.Column:
    """The time of every row from what `parsed` gave, within years 1 to 9999; null where it is no time."""
    if "moment" in t.columns:
        return _clip(t.moment, ibis.literal(_FIRST, UTC_MICROS), ibis.literal(_LAST, UTC_MICROS))
    factor = _MICROS[unit]
    least, most = ibis.literal(_FIRST_MICRO // factor), ibis.literal(_LAST_MICRO // factor)
    given = [_clip(t[c], least, most) * factor for c in ("count", "exact") if c in t.columns]
    micros = ibis.coalesce(*(g.cast("int64") for g in given))
    return make_timestamp(micros).cast(UTC_MICROS)


def _clip(value: ir.Column, least: ir.Scalar, most: ir.Scalar) -> ir.Column:
    """`value` within bounds; null stays null. Times beyond the bounds break a rule on either side of them."""
    least, most = least.cast(value.type()), most.cast(value.type())
    return ibis.cases((value < least, least), (value > most, most), else_=value)
