"""What splits, catalogues and audiences name must be there: every number a node, every domain declared."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import ibis.expr.types as ir
import numpy as np

from hier_dag.graph.relations import NodeType
from schemas.graph_contract.view import GraphView
from schemas.validate import Contract, Rule, where


def referring(view: GraphView, contract: Contract) -> Contract:
    """A contract that also asks whether what the table names is part of the graph.

    Args:
        view: the staged graph.
        contract: of a table; its columns `user` and `item` hold node numbers, `domain` a domain's name.

    Returns:
        The contract with the rules `unknown_user`, `unknown_item` and `unknown_domain`, as far as it has
        these columns. A null breaks none of them.
    """
    columns = contract.columns.columns
    kinds: tuple[NodeType, ...] = ("user", "item")
    rules = [_known_node(view, kind) for kind in kinds if kind in columns]
    if "domain" in columns:
        domains = [*view.graph.sources, *view.graph.targets]
        rules.append(where("unknown_domain", ["domain"], lambda t: t.domain.notin(domains)))
    return replace(contract, rules=(*contract.rules, *rules))


def _known_node(view: GraphView, kind: NodeType) -> Rule:
    """Anti-join with the node table; where that has 0 … n-1 in order, bounds alone prove a table sound."""
    numbers = view.numbers[kind]
    n = len(numbers)

    def failing(table: ir.Table) -> ir.Table:
        return table.filter(table[kind].notnull()).anti_join(view.nodes(kind).select(kind), kind)

    if np.array_equal(numbers, np.arange(n)):
        return Rule(f"unknown_{kind}", (kind,), failing, partial(_beyond, kind, n))
    return Rule(f"unknown_{kind}", (kind,), failing)


def _beyond(column: str, n: int, table: ir.Table) -> ir.IntegerScalar:
    return ((table[column] < 0) | (table[column] >= n)).sum().fill_null(0)
