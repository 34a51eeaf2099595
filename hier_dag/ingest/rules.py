"""Rules about single rows, and the verdict on each row: its first reason, and all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

import ibis
import ibis.expr.types as ir

from hier_dag.ingest.reasons import REASONS

BLANK = r"^[\s\pZ]*$"
UNPRINTABLE = r"[\p{Cc}\x{FFFD}]"
_ORDER = {code: place for place, code in enumerate(REASONS)}


@dataclass(frozen=True)
class RowRule:
    """A rule that a row breaks by itself.

    Attributes:
        code: reason code.
        column: source column that it looks at; None for the row as a whole.
        broken: true where the row breaks it; null counts as false.
    """

    code: str
    column: str | None
    broken: ir.BooleanValue


def blank(column: ir.Column) -> ir.BooleanValue:
    """Whether a text is null, empty or white space alone; never null itself."""
    return column.isnull() | column.re_search(BLANK)


def verdict(rules: Sequence[RowRule]) -> dict[str, ir.Value]:
    """What the rules say of each row.

    Args:
        rules: of `malformed_row` there must be one; a malformed row was not read, so no other rule is tried.

    Returns:
        `reason` string (first broken rule in the order of `REASONS`; null = valid), `column` string (its
        source column), `reasons` list of string (all broken rules in that order). A query that asks for
        `reason` alone pays for nothing else.
    """
    ordered = sorted(rules, key=lambda r: _ORDER[r.code])
    nothing = ibis.null("string")
    column = ibis.cases(
        *((r.broken, nothing if r.column is None else ibis.literal(r.column)) for r in ordered), else_=nothing
    )
    return {
        "reason": ibis.cases(*((r.broken, r.code) for r in ordered), else_=nothing),
        "column": column,
        "reasons": _all(ordered),
    }


def _all(ordered: Sequence[RowRule]) -> ir.ArrayValue:
    malformed = ordered[0]
    by_code: dict[str, list[ir.BooleanValue]] = {}
    for rule in ordered[1:]:
        by_code.setdefault(rule.code, []).append(rule.broken.fill_null(False))
    nothing = ibis.null("string")
    given = [ibis.ifelse(reduce(or_, broken), code, nothing) for code, broken in by_code.items()]
    # Joining skips nulls; codes hold no comma.
    return ibis.ifelse(malformed.broken, malformed.code, ibis.literal(",").join(given)).split(",")
