"""Rules about single rows, and the verdict on each row: its first reason, and all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

import ibis
import ibis.expr.types as ir

from hier_dag.ingest.reasons import REASONS

_BLANK = r"^[\s\pZ\p{Cf}]*$"
"""White space and characters that show nothing (zero width, joiners, marks of direction)."""
_UNPRINTABLE = r"[\p{Cc}\x{FFFD}]"
_PLAIN = r"^[^\p{Cc}\p{Cf}\pZ\x{FFFD}][^\p{Cc}\x{FFFD}]*$"
"""What is neither blank nor unprintable, ids that begin with what may be blank apart."""
_ORDER = {code: place for place, code in enumerate(REASONS)}


@dataclass(frozen=True)
class RowRule:
    """A rule that a row breaks by itself.

    Attributes:
        code: reason code.
        column: source column that it looks at; None for the row as a whole.
        broken: true where the row breaks it; null counts as false.
        sound: a cheaper condition under which it cannot be broken; by default that `broken` is not true.
            Rules may share one.
    """

    code: str
    column: str | None
    broken: ir.BooleanValue
    sound: ir.BooleanValue | None = None


def malformed(t: ir.Table) -> RowRule:
    """That the line is a row at all; where it is not, no other rule is tried."""
    return RowRule("malformed_row", None, t.malformed.notnull())


def id_rules(value: ir.Column, who: str, column: str, longest: int) -> list[RowRule]:
    """What an id must be: there, short enough, printable.

    Args:
        value: the ids, string.
        who: what they name: user, item or entity.
        column: source column.
        longest: characters.
    """
    # One look at a valid id instead of three.
    sound = value.re_search(_PLAIN) & (value.length() <= longest)
    return [
        RowRule(f"null_{who}", column, blank(value), sound),
        RowRule(f"long_{who}", column, value.length() > longest, sound),
        RowRule("bad_encoding", column, value.re_search(_UNPRINTABLE), sound),
    ]


def blank(column: ir.Column) -> ir.BooleanValue:
    """Whether a text is null, empty, or of white space and invisible characters alone; never null itself."""
    return column.isnull() | column.re_search(_BLANK)


def verdict(rules: Sequence[RowRule]) -> dict[str, ir.Value]:
    """What the rules say of each row.

    Args:
        rules: `malformed` and any others.

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
    first = ((r.broken, ibis.literal(r.code)) for r in ordered)
    return {
        "reason": ibis.cases((_sound(ordered), nothing), *first, else_=nothing),
        "column": column,
        "reasons": _all(ordered),
    }


def _sound(rules: Iterable[RowRule]) -> ir.BooleanValue:
    """True only where no rule is broken."""
    conditions = [~r.broken.fill_null(False) if r.sound is None else r.sound for r in rules]
    distinct = [c for i, c in enumerate(conditions) if not any(c.equals(d) for d in conditions[:i])]
    return reduce(and_, distinct)


def _all(ordered: Sequence[RowRule]) -> ir.ArrayValue:
    unreadable = ordered[0]
    by_code: dict[str, list[ir.BooleanValue]] = {}
    for rule in ordered[1:]:
        by_code.setdefault(rule.code, []).append(rule.broken.fill_null(False))
    nothing = ibis.null("string")
    given = [ibis.ifelse(reduce(or_, broken), code, nothing) for code, broken in by_code.items()]
    # Joining skips nulls; codes hold no comma.
    return ibis.ifelse(unreadable.broken, unreadable.code, ibis.literal(",").join(given)).split(",")
