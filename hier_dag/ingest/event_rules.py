"""The value rules of events: which rows of a source are valid."""

from __future__ import annotations

from datetime import UTC, datetime

import ibis
import ibis.expr.types as ir

from hier_dag.config.stages import IngestParams
from hier_dag.engine_functions import UTC_MICROS
from hier_dag.ingest.meaning import Meaning
from hier_dag.ingest.rules import RowRule, blank, id_rules, malformed

# float32: outside these a weight would become 0 or infinite.
_LEAST, _MOST = 1.1754944e-38, 3.4028234e38


def rules_of(t: ir.Table, m: Meaning, latest: datetime) -> list[RowRule]:
    """Every rule about single rows of the source.

    Args:
        t: user_id, item_id, behavior, product (behaviour's weight × given weight), given (weight column),
            event_time, position, malformed.
        m: what the values mean.
        latest: latest event time accepted.
    """
    rules = [malformed(t)]

    def add(code: str, key: str, broken: ir.BooleanValue) -> None:
        rules.append(RowRule(code, m.mapping.get(key, key), broken))

    for key, who in (("user_id", "user"), ("item_id", "item")):
        rules.extend(id_rules(t[key], who, m.mapping[key], m.params.max_id_length))
        pattern = m.source.patterns.declared().get(key)
        if pattern is not None:
            add(f"{who}_pattern", key, ~t[key].re_search(pattern))
    known = ~blank(t.behavior) if m.behaviors is None else t.behavior.isin(list(m.behaviors))
    add("unknown_behavior", "behavior", ~known.fill_null(False))
    add("bad_weight", "weight", ~in_range(t["product"]))
    bounds = m.source.weight_range
    if bounds is not None and bounds.min is not None:
        add("weight_range", "weight", t.given < bounds.min)
    if bounds is not None and bounds.max is not None:
        add("weight_range", "weight", t.given > bounds.max)
    if "event_time" in m.mapping:
        add("bad_time", "event_time", t.event_time.isnull())
        add("early_time", "event_time", t.event_time < _instant(_floor(m.params)))
        add("future_time", "event_time", t.event_time > _instant(latest))
    if "position" in m.mapping:
        add("bad_position", "position", t.position.isnull())
    return rules


def in_range(product: ir.Column) -> ir.BooleanValue:
    """Whether a weight is a positive number that a float32 holds; never null."""
    # NaN sorts above every number in the engine, so one comparison refuses it together with infinity.
    return ((product >= _LEAST) & (product <= _MOST)).fill_null(False)


def _floor(params: IngestParams) -> datetime:
    moment = datetime.fromisoformat(params.min_time)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _instant(moment: datetime) -> ir.Column:
    return ibis.literal(moment, UTC_MICROS)
