"""From raw columns to canonical events, each row with the verdict of the value rules.

Ids are compared as given, byte for byte: nothing is stripped, case is kept, and no Unicode normalisation is
done (an NFC and an NFD spelling are two ids). A vector is asked for with the id that the log holds; any
clean-up here would publish ids that the service does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from hier_dag.engine_functions import UTC_MICROS
from hier_dag.errors import SourceError
from hier_dag.ingest import times
from hier_dag.ingest.event_rules import in_range, rules_of
from hier_dag.ingest.meaning import Meaning
from hier_dag.ingest.row_sample import first_rows, shown
from hier_dag.ingest.rules import verdict

KEY = ("user_id", "item_id", "behavior", "event_time", "position")
EVENT_COLUMNS = ("user_id", "item_id", "behavior", "weight", "event_time", "position", "file", "row")


def judge(raw: ir.Table, m: Meaning, file: int, latest: datetime, place: Mapping[str, Any]) -> ir.Table:
    """The canonical columns of every raw row, with the verdict on it.

    Args:
        raw: table as `read_raw` gives it.
        m: what its values mean.
        file: index of the input in the ledger.
        latest: latest event time accepted.
        place: domain and file, for errors.

    Returns:
        user_id, item_id, behavior string; weight float32; event_time timestamp (µs, UTC); position int64;
        file int32; row int64; reason, column, reasons as `verdict` gives them (reason null: the row is
        valid); raw string: the mapped values as JSON text.

    Raises:
        SourceError: when a column has a type that cannot hold what it is mapped to.
    """
    _check_types(raw, m, place)
    behavior = raw.behavior.cast("string") if "behavior" in m.mapping else ibis.literal(m.behavior)
    timed = "event_time" in m.mapping
    # Two selects: what is parsed in the first is used several times in the second, and the engine would
    # otherwise parse it each time.
    read = raw.select(
        user_id=raw.user_id,
        item_id=raw.item_id,
        behavior=behavior,
        base=_base(m, behavior),
        given=_given_weight(raw, m),
        **(times.parsed(raw.event_time, m.time_unit) if timed else {}),
        position=_position(raw, m),
        file=ibis.literal(file, "int32"),
        row=raw.row,
        malformed=raw.malformed,
        raw=raw_text(raw, m.mapping),
    )
    canonical = read.mutate(
        product=read.base * read.given,
        event_time=times.moment(read, m.time_unit) if timed else ibis.null(UTC_MICROS),
    )
    weight = ibis.ifelse(in_range(canonical["product"]), canonical["product"], ibis.null("float64"))
    judged = canonical.mutate(**verdict(rules_of(canonical, m, latest)), weight=weight.cast("float32"))
    return judged.select(*EVENT_COLUMNS, "reason", "column", "reasons", "raw")


def raw_text(raw: ir.Table, mapping: Mapping[str, str]) -> ir.Column:
    """What a row holds: the mapped values by source column as JSON text, or the text of a broken line."""
    given = {name: raw[k].cast("string") for k, name in mapping.items()}
    return ibis.coalesce(raw.malformed, ibis.struct(given).cast("json").cast("string"))


def _base(m: Meaning, behavior: ir.Column) -> ir.Column:
    """The behaviour's weight, float64."""
    if m.behaviors is None:
        return ibis.literal(1.0)
    return ibis.cases(*((behavior == k, float(w)) for k, w in m.behaviors.items()), else_=1.0)


def _given_weight(raw: ir.Table, m: Meaning) -> ir.Column:
    """The weight column, float64; 1 where there is none."""
    if "weight" not in m.mapping:
        return ibis.literal(1.0)
    # By way of text: DuckDB folds comparisons on a Parquet column with its statistics, which leave NaN out,
    # and a NaN would pass every bound.
    return raw.weight.cast("string").try_cast("float64")


def _position(raw: ir.Table, m: Meaning) -> ir.Column:
    if "position" not in m.mapping:
        return ibis.null("int64")
    if raw.position.type().is_integer():
        return raw.position.try_cast("int64")
    written = raw.position.cast("string")
    whole = ibis.ifelse(
        written.re_search(r"^-?[0-9]+(\.0+)?$"), written.re_replace(r"\..*$", ""), ibis.null("string")
    )
    return whole.try_cast("int64")


def _check_types(raw: ir.Table, m: Meaning, place: Mapping[str, Any]) -> None:
    if "behavior" in m.mapping:
        kind = raw.behavior.type()
        if not (kind.is_string() or kind.is_integer() or kind.is_boolean()):
            raise _unusable(raw, "behavior", m, "text", place)
    for key, wanted in (("weight", "a number"), ("position", "an integer")):
        if key in m.mapping:
            kind = raw[key].type()
            if kind.is_boolean() or not (kind.is_string() or kind.is_numeric()):
                raise _unusable(raw, key, m, wanted, place)
    if "event_time" in m.mapping and not times.fits(raw.event_time.type(), m.time_unit):
        iso = m.time_unit == "iso"
        wanted = "ISO 8601 text or a timestamp; or set `time_unit`" if iso else "an epoch count"
        raise _unusable(raw, "event_time", m, wanted, place)


def _unusable(raw: ir.Table, key: str, m: Meaning, wanted: str, place: Mapping[str, Any]) -> SourceError:
    sample = first_rows(raw, m.mapping)
    return SourceError(
        f"the column is {raw[key].type()}, not {wanted}.{shown(sample)}",
        column=m.mapping[key],
        fix="map another column, or write this one in the type that domains.yaml says",
        detail={"type": str(raw[key].type()), "sample": sample},
        **place,
    )
