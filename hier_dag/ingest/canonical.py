"""From raw columns to canonical events, and the value rules that a row must pass.

Ids are compared as given, byte for byte: nothing is stripped, case is kept, and no Unicode normalisation is
done (an NFC and an NFD spelling are two ids). A vector is asked for with the id that the log holds; any
clean-up here would publish ids that the service does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from hier_dag.config.models import EventSource, IngestParams
from hier_dag.errors import ConfigError, SourceError
from hier_dag.ingest.rules import UNPRINTABLE, RowRule, blank, verdict

DEFAULT_BEHAVIOR = "interact"
KEY = ("user_id", "item_id", "behavior", "event_time", "position")
EVENT_COLUMNS = ("user_id", "item_id", "behavior", "weight", "event_time", "position", "file", "row")
UTC_MICROS = dt.Timestamp(timezone="UTC", scale=6)
_FIRST_MICRO, _LAST_MICRO = -62_135_596_800_000_000, 253_402_300_799_000_000  # years 1 to 9999
_MICROS = {"s": 1_000_000, "ms": 1_000, "us": 1}
# float32: outside these a weight would become 0 or infinite.
_LEAST, _MOST = 1.1754944e-38, 3.4028234e38


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def make_timestamp(micros: int) -> dt.Timestamp(scale=6):  # type: ignore[valid-type]
    """DuckDB's make_timestamp: microseconds since 1970, UTC."""
    raise NotImplementedError


@dataclass(frozen=True)
class Meaning:
    """What a source's values mean.

    Attributes:
        mapping: canonical name to source column.
        time_unit: iso, s, ms or us.
        behavior: behaviour of every row where no column says.
        behaviors: weight of each allowed behaviour; None allows all, each at weight 1.
        params: limits of the value rules.
    """

    mapping: Mapping[str, str]
    time_unit: str
    behavior: str
    behaviors: Mapping[str, float] | None
    params: IngestParams

    def as_json(self) -> dict[str, Any]:
        """Everything that decides which rows are valid and what they become, the time of the build apart."""
        rules = self.params.rules()
        weights = None if self.behaviors is None else dict(self.behaviors)
        return {
            "mapping": dict(self.mapping),
            "time_unit": self.time_unit,
            "behavior": self.behavior,
            "behaviors": weights,
            "rules": rules,
        }


def meaning(
    source: EventSource, behaviors: Mapping[str, float] | None, params: IngestParams, domain: str
) -> Meaning:
    """The meaning of one event source.

    Raises:
        ConfigError: when its rows would all have a behaviour that the domain does not allow.
    """
    mapping = {k: v for k, v in source.columns.model_dump().items() if v is not None}
    constant = source.behavior or DEFAULT_BEHAVIOR
    if behaviors is not None and source.columns.behavior is None and constant not in behaviors:
        raise ConfigError(
            f"its rows have behaviour {constant!r}, which is not among `behaviors` ({', '.join(behaviors)}).",
            domain=domain,
            file=source.path or source.table,
            fix="declare `columns.behavior` or `behavior` of the source",
        )
    return Meaning(mapping, source.time_unit, constant, behaviors, params)


def latest_time(params: IngestParams, as_of: datetime) -> datetime:
    """The latest event time that a build as of `as_of` accepts, UTC."""
    moment = as_of.replace(tzinfo=UTC) if as_of.tzinfo is None else as_of.astimezone(UTC)
    return moment + timedelta(days=params.max_future_days)


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
    behavior = raw.behavior.cast("string") if "behavior" in m.mapping else ibis.literal(m.behavior)
    given = {name: raw[k].cast("string") for k, name in m.mapping.items()}
    canonical = raw.select(
        user_id=raw.user_id,
        item_id=raw.item_id,
        behavior=behavior,
        product=_product(raw, m, behavior, place),
        event_time=_time(raw, m, place),
        position=_position(raw, m, place),
        file=ibis.literal(file, "int32"),
        row=raw.row,
        malformed=raw.malformed,
        raw=ibis.coalesce(raw.malformed, ibis.struct(given).cast("json").cast("string")),
    )
    weight = ibis.ifelse(_in_range(canonical.product), canonical.product, ibis.null("float64")).cast(
        "float32"
    )
    judged = canonical.mutate(**verdict(_rules(canonical, m, latest)), weight=weight)
    return judged.select(*EVENT_COLUMNS, "reason", "column", "reasons", "raw")


def _rules(t: ir.Table, m: Meaning, latest: datetime) -> list[RowRule]:
    """Every value rule of the source."""
    longest = m.params.max_id_length
    known = ~blank(t.behavior) if m.behaviors is None else t.behavior.isin(list(m.behaviors))
    rules = [RowRule("malformed_row", None, t.malformed.notnull())]

    def add(code: str, key: str, broken: ir.BooleanValue) -> None:
        rules.append(RowRule(code, m.mapping.get(key, key), broken))

    for key, who in (("user_id", "user"), ("item_id", "item")):
        add(f"null_{who}", key, blank(t[key]))
        add(f"long_{who}", key, t[key].length() > longest)
        add("bad_encoding", key, t[key].re_search(UNPRINTABLE))
    add("unknown_behavior", "behavior", ~known.fill_null(False))
    add("bad_weight", "weight", ~_in_range(t["product"]))
    if "event_time" in m.mapping:
        add("bad_time", "event_time", t.event_time.isnull())
        add("early_time", "event_time", t.event_time < _instant(_floor(m.params)))
        add("future_time", "event_time", t.event_time > _instant(latest))
    if "position" in m.mapping:
        add("bad_position", "position", t.position.isnull())
    return rules


def _in_range(product: ir.Column) -> ir.BooleanValue:
    # NaN sorts above every number in the engine, so one comparison refuses it together with infinity.
    return ((product >= _LEAST) & (product <= _MOST)).fill_null(False)


def _floor(params: IngestParams) -> datetime:
    moment = datetime.fromisoformat(params.min_time)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _instant(moment: datetime) -> ir.Column:
    return ibis.literal(moment, UTC_MICROS)


def _product(raw: ir.Table, m: Meaning, behavior: ir.Column, place: Mapping[str, Any]) -> ir.Column:
    """Behaviour weight × weight column, float64."""
    base: ir.Column = ibis.literal(1.0)
    if m.behaviors is not None:
        base = ibis.cases(*((behavior == k, float(w)) for k, w in m.behaviors.items()), else_=1.0)
    if "weight" not in m.mapping:
        return base
    column = raw.weight
    if not (column.type().is_string() or column.type().is_numeric()) or column.type().is_boolean():
        raise _unusable(column, m.mapping["weight"], "a number", place)
    # By way of text: DuckDB folds comparisons on a Parquet column with its statistics, which leave NaN out,
    # and a NaN would pass every bound.
    return base * column.cast("string").try_cast("float64")


def _time(raw: ir.Table, m: Meaning, place: Mapping[str, Any]) -> ir.Column:
    if "event_time" not in m.mapping:
        return ibis.null(UTC_MICROS)
    column, kind = raw.event_time, raw.event_time.type()
    if kind.is_timestamp() or kind.is_date():
        return _years(column.try_cast(UTC_MICROS))  # without a zone it is UTC, the session's zone
    if m.time_unit == "iso":
        if kind.is_string():
            return _years(column.try_cast(UTC_MICROS))
        raise _unusable(
            column, m.mapping["event_time"], "ISO 8601 text or a timestamp; or set `time_unit`", place
        )
    if not (kind.is_string() or kind.is_numeric()) or kind.is_boolean():
        raise _unusable(column, m.mapping["event_time"], "an epoch count", place)
    # Decimal, not double: microseconds since 1970 with a fraction do not fit a double.
    factor = _MICROS[m.time_unit]
    count = column.try_cast("int64" if kind.is_integer() else "decimal(38, 6)")
    bounded = _clip(count, ibis.literal(_FIRST_MICRO // factor), ibis.literal(_LAST_MICRO // factor))
    return make_timestamp((bounded * factor).cast("int64")).cast(UTC_MICROS)


def _years(moment: ir.Column) -> ir.Column:
    return _clip(
        moment, _instant(datetime(1, 1, 1, tzinfo=UTC)), _instant(datetime(9999, 12, 31, tzinfo=UTC))
    )


def _clip(value: ir.Column, least: ir.Scalar, most: ir.Scalar) -> ir.Column:
    """`value` within bounds; null stays null. Times beyond the bounds break a rule on either side of them."""
    least, most = least.cast(value.type()), most.cast(value.type())
    return ibis.cases((value < least, least), (value > most, most), else_=value)


def _position(raw: ir.Table, m: Meaning, place: Mapping[str, Any]) -> ir.Column:
    if "position" not in m.mapping:
        return ibis.null("int64")
    column, kind = raw.position, raw.position.type()
    if kind.is_integer():
        return column.try_cast("int64")
    if kind.is_boolean() or not (kind.is_string() or kind.is_numeric()):
        raise _unusable(column, m.mapping["position"], "an integer", place)
    written = column.cast("string")
    whole = ibis.ifelse(
        written.re_search(r"^-?[0-9]+(\.0+)?$"), written.re_replace(r"\..*$", ""), ibis.null("string")
    )
    return whole.try_cast("int64")


def _unusable(column: ir.Column, name: str, wanted: str, place: Mapping[str, Any]) -> SourceError:
    return SourceError(
        f"the column is {column.type()}, not {wanted}.",
        column=name,
        fix="map another column, or write this one in the type that domains.yaml says",
        **place,
    )
