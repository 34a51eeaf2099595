"""Value checks on one column, as pandera checks whose failing rows stay in the engine.

pandera's own Ibis comparisons join their result back to the table by position; one boolean expression over
the column says the same and needs no join.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ibis.expr.types as ir
from pandera.api.ibis.types import IbisData
from pandera.ibis import Check

_LARGEST = 1.7976931348623157e308  # float64
Holds = Callable[[ir.Column], ir.BooleanValue]


def column_check(code: str, holds: Holds) -> Check:
    """A check named by its reason code; nulls are left to `nullable`."""

    def run(data: IbisData) -> ir.BooleanValue:
        return holds(data.table[data.key])

    return Check(run, name=code, title=code)


def not_empty() -> Check:
    """Text of at least one character."""
    return column_check("empty", lambda c: c.length() > 0)


def above(bound: float) -> Check:
    """Values greater than `bound`; a NaN fails."""
    return column_check(
        "too_small", lambda c: (c > bound) & ~c.isnan() if c.type().is_floating() else c > bound
    )


def at_least(bound: float) -> Check:
    """Values not less than `bound`."""
    return column_check("too_small", lambda c: c >= bound)


def below(bound: float) -> Check:
    """Values less than `bound`; a NaN fails."""
    return column_check("too_large", lambda c: c < bound)


def finite() -> Check:
    """Neither NaN nor infinite."""
    # Not isinf: on Spark it finds no infinity.
    return column_check("not_finite", lambda c: ~(c.isnan() | (c.abs() > _LARGEST)))


def one_of(values: Sequence[str | int]) -> Check:
    """Values among those listed."""
    return column_check("not_allowed", lambda c: c.isin(list(values)))
