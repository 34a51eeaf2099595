"""Runs a contract inside the engine and collects every failure, counted, with a few values to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaError, SchemaErrors
from pandera.ibis import Check, Column, DataFrameSchema

SAMPLE = 5

_CODES = {
    "COLUMN_NOT_IN_DATAFRAME": "missing_column",
    "COLUMN_NOT_IN_SCHEMA": "unexpected_column",
    "WRONG_DATATYPE": "wrong_type",
}


@dataclass(frozen=True)
class Failure:
    """One rule that a table breaks.

    Attributes:
        table: name of the table.
        column: column or columns (comma-separated) that break it; None for the table as a whole.
        rule: machine-readable reason code.
        count: rows that break it; 1 for a rule about the table as a whole.
        sample: a few of the values.
    """

    table: str
    column: str | None
    rule: str
    count: int
    sample: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The failure as a JSON-serialisable record."""
        return asdict(self) | {"sample": list(self.sample)}

    def __str__(self) -> str:
        where = f"{self.table}.{self.column}" if self.column else self.table
        shown = f" (for example {', '.join(self.sample)})" if self.sample else ""
        return f"{where}: {self.rule}, {self.count} row(s){shown}"


@dataclass(frozen=True)
class Rule:
    """A rule over several rows or columns, or over lists, which pandera's Ibis back end has no check for.

    Attributes:
        code: reason code.
        columns: columns that it looks at.
        failing: the rows (or groups of rows) that break it.
        breaches: a number that is 0 only where no row breaks it; None where the rows must be asked for.
        alone: the number needs a query of its own; the others are asked for in one scan.
    """

    code: str
    columns: tuple[str, ...]
    failing: Callable[[ir.Table], ir.Table]
    breaches: Callable[[ir.Table], ir.IntegerScalar] | None = None
    alone: bool = False


@dataclass(frozen=True)
class Contract:
    """What a table must look like.

    Attributes:
        columns: names, types, nullability and value ranges.
        rules: everything else.
    """

    columns: DataFrameSchema
    rules: tuple[Rule, ...] = ()

    @property
    def descriptions(self) -> dict[str, str]:
        """What each column means."""
        return {name: column.description or "" for name, column in self.columns.columns.items()}


def validate(table: ir.Table, schema: Contract, *, name: str) -> list[Failure]:
    """Checks a table against a contract; an empty list means that it holds.

    Args:
        table: the table; queries run in its own engine.
        schema: the contract.
        name: what to call the table in failures.

    Returns:
        Every failure, in the order of the contract.
    """
    failures = _structure(table, schema.columns, name)
    wrong = {f.column for f in failures if f.rule in ("missing_column", "wrong_type")}
    rules = [r for c, d in schema.columns.columns.items() if c not in wrong for r in _rules_of(d)]
    # A rule cannot be asked about a column that is not there or of another type.
    rules += [r for r in schema.rules if not wrong & set(r.columns)]
    types = [r for r in rules if r.code == "wrong_type"]
    found = {id(r): f for r in types if (f := _apply(r, table, name))}
    wrong |= {c for r in types if id(r) in found for c in r.columns}
    asked = [r for r in rules if r.code != "wrong_type" and not wrong & set(r.columns)]
    found |= {id(r): f for r in _broken(asked, table) if (f := _apply(r, table, name))}
    return failures + [f for r in rules for f in found.get(id(r), [])]


def _rules_of(column: Column) -> list[Rule]:
    """Nulls and value checks of one column, as rules.

    The checks are pandera's, but asked one by one: its schema validation pulls every row into pandas where a
    check fails.
    """
    name = column.name
    rules = [] if column.nullable else [where("null", [name], lambda t: t[name].isnull())]
    return rules + [where(c.name, [name], partial(_fails, c, name)) for c in column.checks]


def _fails(check: Check, column: str, table: ir.Table) -> ir.BooleanValue:
    holds: ir.BooleanValue = check(table, column).check_output
    return ~holds


def _broken(rules: Sequence[Rule], table: ir.Table) -> list[Rule]:
    """The rules that may be broken: one scan tells for all that can be counted in one."""
    counted = [r for r in rules if r.breaches is not None and not r.alone]
    breaches = {f"b{i}": r.breaches(table) for i, r in enumerate(counted) if r.breaches is not None}
    counts = table.aggregate(**breaches).to_pyarrow().to_pylist()[0] if breaches else {}
    sound = {id(r) for i, r in enumerate(counted) if not counts[f"b{i}"]}
    single = [r for r in rules if r.breaches is not None and r.alone]
    sound |= {id(r) for r in single if not r.breaches(table).to_pyarrow().as_py()}  # type: ignore[misc]
    return [r for r in rules if id(r) not in sound]


def unique(*columns: str, ascending: bool = False) -> Rule:
    """No two rows agree in all of `columns`; the count is of the rows beyond the first of each.

    Args:
        columns: the key; nulls are equal.
        ascending: tables are written in the order of the key, which one look at neighbours proves.
    """

    def failing(table: ir.Table) -> ir.Table:
        groups = table.group_by(list(columns)).aggregate(copies=table.count())
        return groups.filter(groups.copies > 1)

    def breaches(table: ir.Table) -> ir.IntegerScalar:
        # Equal rows have equal hashes, so as many hashes as rows prove that no two are equal; fewer may
        # be a collision, and `failing` then compares the values themselves.
        return table.count() - ibis.struct({c: table[c] for c in columns}).hash().nunique()

    if ascending:
        return Rule("duplicate", columns, failing, partial(_out_of_order, columns), alone=True)
    return Rule("duplicate", columns, failing, breaches)


def _out_of_order(columns: Sequence[str], table: ir.Table) -> ir.IntegerScalar:
    """How many rows are not above the row before them; whatever the order, 0 proves that no two are equal."""
    before = table.mutate(**{f"{c}_before": table[c].lag() for c in columns})
    above, equal = ibis.literal(False), ibis.literal(True)
    for c in columns:
        above = above | (equal & (before[c] > before[f"{c}_before"]))
        equal = equal & (before[c] == before[f"{c}_before"])
    first = 1  # nothing is before it
    return (~above.fill_null(False)).sum().fill_null(first) - first


def dense(column: str) -> Rule:
    """Values are 0 … n-1; together with `unique` each occurs once."""

    def failing(table: ir.Table) -> ir.Table:
        n = table.count().as_scalar()
        return table.select(column).filter((table[column] < 0) | (table[column] >= n))

    return Rule("not_dense", (column,), failing)


def where(code: str, columns: Sequence[str], condition: Callable[[ir.Table], ir.BooleanValue]) -> Rule:
    """No row meets `condition`."""
    names = tuple(columns)
    return Rule(
        code,
        names,
        lambda t: t.filter(condition(t)).select(*names),
        lambda t: condition(t).sum().fill_null(0),
    )


def _structure(table: ir.Table, columns: DataFrameSchema, name: str) -> list[Failure]:
    """Names and types, by pandera."""
    try:
        with config_context(validation_depth=ValidationDepth.SCHEMA_ONLY):
            columns.validate(table, lazy=True)
    except SchemaErrors as e:
        return [_from_pandera(error, name) for error in e.schema_errors]
    return []


def _from_pandera(error: SchemaError, name: str) -> Failure:
    rule = _CODES[error.reason_code.name]
    if rule == "wrong_type":
        return Failure(name, error.schema.name, rule, 1, (str(error.failure_cases),))
    return Failure(name, str(error.failure_cases), rule, 1, ())


def _count(rows: ir.Table, code: str, name: str) -> list[Failure]:
    count = int(rows.count().to_pyarrow().as_py())
    if count == 0:
        return []
    sample = _values(rows.order_by(list(rows.columns)).limit(SAMPLE))
    return [Failure(name, ",".join(rows.columns), code, count, sample)]


def _apply(rule: Rule, table: ir.Table, name: str) -> list[Failure]:
    failing = rule.failing(table)
    found = _count(failing.select(*rule.columns), rule.code, name)
    if found and "copies" in failing.columns:
        extra = int((failing.copies - 1).sum().to_pyarrow().as_py())
        found = [replace(found[0], count=extra)]
    return found


def _values(rows: ir.Table) -> tuple[str, ...]:
    records = rows.to_pyarrow().to_pylist()
    shown = [", ".join(str(v) for v in r.values()) for r in records]
    return tuple(s if len(s) <= 120 else s[:117] + "..." for s in shown)
