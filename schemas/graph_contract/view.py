"""A staged graph as its contract sees it: node tables in the engine, edges in their arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from hier_dag.graph.csr import CSR, IntArray
from hier_dag.graph.files import ENTITIES, ITEMS, USERS
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.graph.relations import NODE_TYPES, NodeType, Relation, relations_of

NODE_FILES: dict[NodeType, str] = {"user": USERS, "item": ITEMS, "entity": ENTITIES}
SHOWN = 5


@dataclass(frozen=True)
class GraphView:
    """What every rule of the contract looks at.

    Attributes:
        con: the engine.
        folder: folder of the staged artifact.
        graph: the graph as it reads back from the folder.
    """

    con: Backend
    folder: Path
    graph: KnowledgeGraph

    def nodes(self, kind: NodeType) -> ir.Table:
        """Node table of a type, in the engine."""
        return self.con.read_parquet(str(self.folder / NODE_FILES[kind]))

    @cached_property
    def relations(self) -> dict[str, Relation]:
        """Every relation by name, broken ones included."""
        return relations_of(self.graph)

    @cached_property
    def readable(self) -> dict[str, Relation]:
        """Relations whose arrays fit each other, so that their edges can be told apart."""
        return {name: r for name, r in self.relations.items() if is_readable(r.csr)}

    @cached_property
    def numbers(self) -> dict[NodeType, IntArray]:
        """Node numbers of each type as their table has them, int64 [rows]; dense in a sound graph."""
        return {t: _numbers(self.folder / file, t) for t, file in NODE_FILES.items()}

    @cached_property
    def missing(self) -> dict[NodeType, IntArray]:
        """Numbers that edges end at and the node table of the type does not have, ascending."""
        return {t: self._missing(t) for t in NODE_TYPES}

    def _missing(self, kind: NodeType) -> IntArray:
        """Anti-join of the edges' distinct ends with the node table: exact whatever the numbers are."""
        ends = _distinct(
            [(np.flatnonzero(r.out_degrees), r.csr.rows) for r in self.readable.values() if r.source == kind]
            + [(r.csr.indices, r.csr.cols) for r in self.readable.values() if r.target == kind]
        )
        table = ibis.memtable(pa.table({kind: ends}))
        without = table.anti_join(self.nodes(kind).select(kind), kind)
        return np.sort(self.con.to_pyarrow(without)[kind].to_numpy())

    def name(self, kind: NodeType, number: int) -> str:
        """Original id of a node; its number where there is no such node."""
        ids = {"user": self.graph.user_ids, "item": self.graph.item_ids, "entity": self.graph.entity_ids}
        at = np.flatnonzero(self.numbers[kind] == number)
        return str(ids[kind][at[0]]) if len(at) else f"{kind} number {number}"

    def show_edges(self, relation: Relation, positions: IntArray) -> tuple[str, ...]:
        """The first few of some edges, by original ids.

        Args:
            relation: a readable relation.
            positions: int64 [n], places in its `indices`.
        """
        some = positions[:SHOWN]
        rows, cols = row_at(relation.csr, some), relation.csr.indices[some]
        return tuple(
            f"{self.name(relation.source, int(a))} → {self.name(relation.target, int(b))}"
            for a, b in zip(rows, cols, strict=True)
        )


def is_readable(csr: CSR) -> bool:
    """Whether starts ascend from 0 to the number of entries, and every array has one value an entry."""
    starts = csr.indptr
    whole = (
        len(starts) > 0 and starts[0] == 0 and starts[-1] == csr.nnz and bool((np.diff(starts) >= 0).all())
    )
    return whole and all(a is None or len(a) == csr.nnz for a in (csr.values, csr.kinds))


def row_at(csr: CSR, positions: IntArray) -> IntArray:
    """Row of some entries, int64 [n], without the rows of all others."""
    return np.searchsorted(csr.indptr, positions, side="right").astype(np.int64) - 1


def _numbers(path: Path, column: str) -> IntArray:
    numbers: IntArray = pq.read_table(path, columns=[column])[column].drop_null().to_numpy()
    return numbers


def _distinct(parts: list[tuple[IntArray, int]]) -> IntArray:
    """Distinct values of several arrays; most of each lies in [0, bound)."""
    within = np.zeros(max((bound for _, bound in parts), default=0), dtype=bool)
    outside = [np.empty(0, dtype=np.int64)]
    for values, _ in parts:
        fits = (values >= 0) & (values < len(within))
        if fits.all():
            within[values] = True
        else:
            within[values[fits]] = True
            outside.append(values[~fits])
    return np.union1d(np.flatnonzero(within), np.concatenate(outside)).astype(np.int64)
