"""Every relation of a knowledge graph under one view: its name, what it joins, its degrees on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from hier_dag.graph.csr import CSR, IntArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph

NodeType = Literal["user", "item", "entity"]
NODE_TYPES: tuple[NodeType, ...] = ("user", "item", "entity")


@dataclass(frozen=True)
class Relation:
    """One relation.

    Attributes:
        name: `interacts:<domain>`, `has_entity`, `entity_entity` or `social`.
        csr: its entries, rows × columns.
        source: type of the nodes that are its rows.
        target: type of the nodes that are its columns.
        both_ways: whether an edge is stored in both directions.
        domain: the domain of an `interacts` relation.
    """

    name: str
    csr: CSR
    source: NodeType
    target: NodeType
    both_ways: bool = False
    domain: str | None = None

    @property
    def family(self) -> str:
        """Its name without the domain."""
        return self.name.partition(":")[0]

    @cached_property
    def out_degrees(self) -> IntArray:
        """Entries of each row, int64 [rows]."""
        return self.csr.degrees()

    @cached_property
    def in_degrees(self) -> IntArray:
        """Entries of each column, int64 [cols]; every index must lie in [0, cols)."""
        return np.bincount(self.csr.indices, minlength=self.csr.cols)


def relations_of(graph: KnowledgeGraph) -> dict[str, Relation]:
    """Every relation of a graph by name: `interacts` of each domain, links, triples, social edges."""
    found = [
        Relation(f"interacts:{domain}", csr, "user", "item", domain=domain)
        for domain, csr in graph.interacts.items()
    ]
    found.append(Relation("has_entity", graph.has_entity, "item", "entity"))
    found.append(Relation("entity_entity", graph.entity_entity, "entity", "entity", both_ways=True))
    found.append(Relation("social", graph.social, "user", "user", both_ways=True))
    return {r.name: r for r in found}


def node_counts(graph: KnowledgeGraph) -> dict[NodeType, int]:
    """How many nodes there are of each type."""
    return {"user": graph.n_users, "item": graph.n_items, "entity": graph.n_entities}
