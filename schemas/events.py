"""Contracts of canonical events and of quarantined rows."""

from __future__ import annotations

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from pandera.ibis import Column, DataFrameSchema

from hier_dag.ingest.reasons import REASONS
from schemas.checks import above, at_least, finite, not_empty, one_of
from schemas.validate import Contract, Rule, unique, where


def _other_type(t: ir.Table) -> ir.Table:
    kind = t.reasons.type()
    fits = kind.is_array() and kind.value_type.is_string()
    return t.select(reasons=t.reasons.cast("string")).filter(not fits)


EVENTS = Contract(
    DataFrameSchema(
        {
            "user_id": Column(dt.string, not_empty(), description="user, as logged"),
            "item_id": Column(dt.string, not_empty(), description="item, as logged"),
            "behavior": Column(
                dt.string,
                not_empty(),
                description="what the user did",
            ),
            "weight": Column(dt.float32, [above(0), finite()], description="strength of the event, > 0"),
            "event_time": Column(
                dt.Timestamp(timezone="UTC", scale=6),
                nullable=True,
                description="when, UTC; null where logs say none",
            ),
            "position": Column(
                dt.int64, nullable=True, description="place in the user's history; null where logs say none"
            ),
            "file": Column(dt.int32, at_least(0), description="raw file, index into the ledger"),
            "row": Column(dt.int64, at_least(1), description="row of the raw file, from 1"),
        },
        strict=True,
    ),
    (
        unique("file", "row", ascending=True),
        unique("user_id", "item_id", "behavior", "event_time", "position"),
    ),
)

QUARANTINE = Contract(
    DataFrameSchema(
        {
            "file": Column(dt.int32, at_least(0), description="raw file, index into the ledger"),
            "row": Column(dt.int64, at_least(1), description="row of the raw file, from 1"),
            "reason": Column(
                dt.string,
                one_of(list(REASONS)),
                description="reason code of the first rule that the row breaks",
            ),
            # pandera's Ibis engine knows no list types.
            "reasons": Column(description="reason codes of all rules that the row breaks, in the same order"),
            "column": Column(
                dt.string, nullable=True, description="source column that breaks it; null: the whole row"
            ),
            "raw": Column(
                dt.string, description="the mapped raw values as JSON text, or the broken line itself"
            ),
        },
        strict=True,
    ),
    (
        unique("file", "row", ascending=True),
        Rule("wrong_type", ("reasons",), _other_type),
        where(
            "not_first",
            ["reason", "reasons"],
            lambda t: (t.reasons.length() == 0) | (t.reasons[0] != t.reason),
        ),
    ),
)
