"""Constraints on properties of nodes, run over a node table inside the engine.

A node is a number; rows with the same number state values of the same node, as RDF has it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from hier_dag.graph.relations import NodeType
from schemas.graph_contract.view import SHOWN, GraphView
from schemas.shapes.constraints import Constraint


@dataclass(frozen=True)
class NodeRule:
    """How one kind of constraint is checked.

    Attributes:
        breaches: from nodes, values (columns of one table) and the constraint's value: a number that is 0
            only where no node breaks it, so that one scan of the table clears all constraints that hold.
        failing: from distinct rows (node, value): those that break it.
    """

    breaches: Callable[[ir.Column, ir.Column, Any], ir.Value]
    failing: Callable[[ir.Table, Any], ir.Table]


def check_nodes(
    view: GraphView, kind: NodeType, constraints: Sequence[Constraint]
) -> list[tuple[Constraint, int, tuple[str, ...]]]:
    """Runs constraints on the nodes of one type.

    Returns:
        Each constraint that is broken, how many nodes break it (how many values, where each value is judged
        by itself), and a few of them.
    """
    if not constraints:
        return []
    table = view.nodes(kind)
    asked = {
        f"b{i}": NODE_RULES[c.kind].breaches(table[kind], table[_column(kind, c)], c.value)
        for i, c in enumerate(constraints)
    }
    counts = view.con.to_pyarrow(table.aggregate(**asked)).to_pylist()[0]
    found = []
    for i, constraint in enumerate(constraints):
        if counts[f"b{i}"]:
            failing = failing_nodes(view, kind, constraint)
            count = int(failing.count().to_pyarrow().as_py())
            rows = failing.order_by(["node", "value"]).limit(SHOWN).to_pyarrow().to_pylist()
            shown = tuple(_show(kind, row["node"], row["value"]) for row in rows)
            found += [(constraint, count, shown)] if count else []
    return found


def failing_nodes(view: GraphView, kind: NodeType, constraint: Constraint) -> ir.Table:
    """The distinct rows (node, value) that break a constraint."""
    table = view.nodes(kind)
    rows = table.select(node=table[kind], value=table[_column(kind, constraint)])
    rows = rows.filter(rows.node.notnull()).distinct()
    return NODE_RULES[constraint.kind].failing(rows, constraint.value)


def _column(kind: NodeType, constraint: Constraint) -> str:
    return f"{kind}_id" if constraint.about == "id" else str(constraint.about)


def _show(kind: NodeType, node: int, value: object) -> str:
    shown = f"{kind} number {node}: {'no value' if value is None else repr(value)}"
    return shown if len(shown) <= 120 else shown[:117] + "..."


def _per_node(rows: ir.Table) -> ir.Table:
    return rows.group_by("node").aggregate(value=rows.value.min(), n=rows.value.nunique())


def _length(values: ir.Column) -> ir.IntegerValue:
    return values.cast("string").length()


def _is(values: ir.Column, datatype: str) -> bool:
    kind = values.type()
    return bool(kind.is_string() if datatype == "string" else kind.is_integer())


def _repeated(rows: ir.Table) -> ir.Table:
    """Nodes with the value of another that has a lower number."""
    stated = rows.filter(rows.value.notnull())
    first = stated.mutate(first=stated.node.min().over(group_by=stated.value))
    return first.filter(first.node > first.first).drop("first")


NODE_RULES: dict[str, NodeRule] = {
    "min_count": NodeRule(
        lambda node, value, n: value.isnull().sum() if n == 1 else node.count(),
        lambda t, n: _per_node(t).filter(lambda g: g.n < n).drop("n"),
    ),
    "max_count": NodeRule(
        lambda node, value, n: node.count() - node.nunique(),
        lambda t, n: _per_node(t).filter(lambda g: g.n > n).drop("n"),
    ),
    "datatype": NodeRule(
        lambda node, value, datatype: ibis.literal(0) if _is(value, datatype) else value.count(),
        lambda t, datatype: t.filter(t.value.notnull() & ibis.literal(not _is(t.value, datatype))),
    ),
    "min_length": NodeRule(
        lambda node, value, n: (_length(value) < n).sum(), lambda t, n: t.filter(_length(t.value) < n)
    ),
    "max_length": NodeRule(
        lambda node, value, n: (_length(value) > n).sum(), lambda t, n: t.filter(_length(t.value) > n)
    ),
    # Equal values have equal hashes, so as many hashes as values prove that no two are equal.
    "unique": NodeRule(
        lambda node, value, _: value.count() - value.hash().nunique(), lambda t, _: _repeated(t)
    ),
}
"""Kind of constraint → how it is checked."""
