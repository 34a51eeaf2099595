"""Integrity: tables keep their contracts, and what they name and where edges end are nodes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hier_dag.graph.csr import IntArray
from hier_dag.graph.files import AUDIENCE, CATALOGUE, splits_file
from hier_dag.graph.relations import NODE_TYPES, NodeType, Relation
from schemas.graph_contract.edge_rules import unsorted, without_end
from schemas.graph_contract.references import referring
from schemas.graph_contract.view import NODE_FILES, SHOWN, GraphView
from schemas.membership import AUDIENCES, CATALOGUES
from schemas.nodes import ENTITIES, ITEMS, USERS
from schemas.splits import SPLITS
from schemas.validate import Contract, Failure, validate

_NODE_CONTRACTS: dict[NodeType, Contract] = {"user": USERS, "item": ITEMS, "entity": ENTITIES}


def integrity(view: GraphView) -> list[Failure]:
    """Every way in which the graph's tables and arrays do not fit each other.

    Args:
        view: the staged graph.

    Returns:
        Failures with exact counts. Reason codes: those of the table contracts (`duplicate`, `not_dense`,
        `null` …); `unknown_user`, `unknown_item` and `unknown_domain`, rows of splits, catalogue and audience
        that name what the graph does not have; `broken_csr`, `wrong_shape`, `unsorted`, `unknown_relation`;
        and of an edge's end that is no node of its type `wrong_endpoint_type` where its number is a node of
        another type, else `dangling_edge`. An edge whose two ends are no nodes is counted once at each.
    """
    found = [f for t in NODE_TYPES for f in _table(view, NODE_FILES[t], _NODE_CONTRACTS[t])]
    naming = {splits_file(d): SPLITS for d in view.graph.interactions}
    naming |= {CATALOGUE: CATALOGUES, AUDIENCE: AUDIENCES}
    found += [f for file, c in naming.items() for f in _table(view, file, referring(view, c))]
    for name, relation in view.relations.items():
        if name not in view.readable:
            found.append(Failure(name, "indptr", "broken_csr", 1, ()))
            continue
        found += [*_arrays(view, relation), *_ends(view, relation)]
    return found


def _table(view: GraphView, file: str, contract: Contract) -> list[Failure]:
    return validate(view.con.read_parquet(str(view.folder / file)), contract, name=file)


def _arrays(view: GraphView, relation: Relation) -> Iterator[Failure]:
    csr = relation.csr
    declared = tuple(_numbered(view, t) for t in (relation.source, relation.target))
    if (csr.rows, csr.cols) != declared:
        sizes = f"{csr.rows} × {csr.cols} for {declared[0]} × {declared[1]} nodes"
        part = "cols" if csr.rows == declared[0] else "indptr"
        yield Failure(relation.name, part, "wrong_shape", 1, (sizes,))
    disordered = unsorted(relation)
    if len(disordered):
        shown = view.show_edges(relation, disordered)
        yield Failure(relation.name, "indices", "unsorted", len(disordered), shown)
    if csr.kinds is not None:
        known = len(view.graph.entity_relations)
        strange = np.flatnonzero((csr.kinds < 0) | (csr.kinds >= known))
        if len(strange):
            some = tuple(str(k) for k in csr.kinds[strange[:SHOWN]])
            yield Failure(relation.name, "kinds", "unknown_relation", len(strange), some)


def _numbered(view: GraphView, kind: NodeType) -> int:
    """Nodes of a type by their numbers, of which every one may be there more than once."""
    return int(view.numbers[kind].max(initial=-1)) + 1


def _ends(view: GraphView, relation: Relation) -> Iterator[Failure]:
    for side, kind in (("from", relation.source), ("to", relation.target)):
        elsewhere = _of_another_type(view, kind)
        nowhere = np.setdiff1d(view.missing[kind], elsewhere, assume_unique=True)
        for rule, numbers in (("wrong_endpoint_type", elsewhere), ("dangling_edge", nowhere)):
            edges = without_end(view, relation, side, numbers)
            if len(edges):
                yield Failure(relation.name, side, rule, len(edges), view.show_edges(relation, edges))


def _of_another_type(view: GraphView, kind: NodeType) -> IntArray:
    """Those of a type's missing numbers that another type's table has."""
    others = np.concatenate([view.numbers[t] for t in NODE_TYPES if t != kind])
    missing = view.missing[kind]
    return missing[np.isin(missing, others)] if len(missing) else missing
