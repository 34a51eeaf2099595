"""The values that broke a rule, most frequent first, beside those that are allowed."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from hier_dag.engine_functions import json_extract_string, json_valid
from hier_dag.ingest.json_keys import pointer

VALUES = 5
_SHOWN = 60  # characters of a value


def offending_values(con: Backend, rows: ir.Table, column: str | None) -> dict[str, int]:
    """The most frequent values of a source column among quarantined rows, with their counts.

    Args:
        con: the engine.
        rows: quarantined rows, with `raw`.
        column: source column; None where the whole row is broken.
    """
    if column is None:
        return {}
    sound = rows.filter(json_valid(rows.raw))
    values = sound.select(value=json_extract_string(sound.raw, pointer(column)))
    counts = values.group_by("value").aggregate(n=values.count())
    top = counts.order_by([counts.n.desc(), counts["value"]]).limit(VALUES)
    return {str(r["value"])[:_SHOWN]: r["n"] for r in con.to_pyarrow(top).to_pylist()}


def values_in_words(values: dict[str, int], allowed: Sequence[str]) -> str:
    """One sentence about the values, and one about what is allowed where a list says so."""
    if not values:
        return ""
    listed = ", ".join(f"{value!r} ({count:,})" for value, count in values.items())
    words = f" Most frequent: {listed}."
    if allowed:
        close = difflib.get_close_matches(next(iter(values)), list(allowed), n=1, cutoff=0.5)
        nearest = f"; nearest is {close[0]!r}" if close else ""
        words += f" Allowed: {', '.join(repr(a) for a in allowed[:30])}{nearest}."
    return words
