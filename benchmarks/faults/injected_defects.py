"""Ways to break a sound graph, each with the counts that the graph contract must come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from broken_graphs import text, with_edges, with_relation, without

from hier_dag.graph.csr import CSR
from hier_dag.graph.files import AUDIENCE, CATALOGUE, ITEMS, USERS, splits_file
from hier_dag.graph.knowledge_graph import KnowledgeGraph

SHOP, CAFE = "interacts:shop", "interacts:cafe"
Counts = dict[tuple[str, str], int]
"""(relation or table, reason) → how many."""


@dataclass(frozen=True)
class Defect:
    """One way to break a graph.

    Attributes:
        expected: what the contract must count; nothing else may be.
        graph: from the sound graph to the broken one.
        tables: changes the node tables in its folder.
    """

    expected: Counts
    graph: Callable[[KnowledgeGraph], KnowledgeGraph] = lambda g: g
    tables: Callable[[Path], None] = field(default=lambda _: None)


def _on(name: str, change: Callable[[CSR], CSR]) -> Callable[[KnowledgeGraph], KnowledgeGraph]:
    return lambda g: with_relation(g, name, change)


def _again(folder: Path, file: str, n: int) -> None:
    table = pq.read_table(folder / file)
    pq.write_table(pa.concat_tables([table, table.slice(1000, n)]), folder / file)


def _twins(folder: Path, n: int) -> None:
    """The items from 200 on take the ids of those from 5000 on (all numbers stay)."""
    table = pq.read_table(folder / ITEMS)
    ids = table["item_id"].to_numpy(zero_copy_only=False).astype(object)
    ids[200 : 200 + n] = ids[5000 : 5000 + n]
    pq.write_table(table.set_column(1, "item_id", pa.array(ids, pa.string())), folder / ITEMS)


def _named(folder: Path, file: str, n: int, **values: Any) -> None:
    """The first n rows of a table once more at its end, with these values; their keys are new ones."""
    table = pq.read_table(folder / file)
    rows = table.slice(0, n)
    for name, value in values.items():
        column = pa.array(np.broadcast_to(value, rows.num_rows), table.schema.field(name).type)
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    pq.write_table(pa.concat_tables([table, rows]), folder / file)


def _each(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    """Several changes of one folder, one after another."""

    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

    return change


def _weights(csr: CSR, n: int) -> CSR:
    values = np.array(csr.values)
    values[: n // 2], values[n // 2 : n] = np.nan, -1
    return replace(csr, values=values)


def _hub(graph: KnowledgeGraph, edges: int) -> KnowledgeGraph:
    """Item 3 of the shop is chosen by the first `edges` users who chose anything there."""

    def change(csr: CSR) -> CSR:
        there = csr.row_of_entry()[csr.indices == 3]
        return with_edges(csr, np.setdiff1d(np.flatnonzero(csr.degrees())[:edges], there), 3)

    return with_relation(graph, SHOP, change)


def _more_nodes(graph: KnowledgeGraph, users: int, items: int) -> KnowledgeGraph:
    """Further users and items, without an edge."""

    def grown(csr: CSR, rows: int, cols: int) -> CSR:
        return replace(csr, indptr=np.append(csr.indptr, np.full(rows, csr.nnz)), cols=csr.cols + cols)

    return replace(
        graph,
        user_ids=np.append(graph.user_ids, text(f"someone{n}" for n in range(users))),
        item_ids=np.append(graph.item_ids, text(f"something{n}" for n in range(items))),
        interacts={d: grown(c, users, items) for d, c in graph.interacts.items()},
        social=grown(graph.social, users, users),
        has_entity=grown(graph.has_entity, items, 0),
    )


def _island(graph: KnowledgeGraph, n: int) -> KnowledgeGraph:
    """Further users and as many items, n each, that know each other alone, in one ring, and no entity."""
    grown = _more_nodes(graph, n, n)
    users, items = graph.n_users + np.arange(n), graph.n_items + np.arange(n)
    ring = (np.tile(users, 2), np.concatenate([items, np.roll(items, 1)]))
    return with_relation(grown, CAFE, lambda c: with_edges(c, *ring))


def _nfd(graph: KnowledgeGraph, n: int) -> KnowledgeGraph:
    ids = graph.user_ids.copy()
    ids[:n], ids[n : 2 * n] = [f"caf\u00e9{k}" for k in range(n)], [f"cafe\u0301{k}" for k in range(n)]
    return replace(graph, user_ids=ids)


def _swapped(graph: KnowledgeGraph, n: int) -> KnowledgeGraph:
    """The last n items are such that only links name, under ids of entities."""
    ids = graph.item_ids.copy()
    ids[-n:] = graph.entity_ids[:n]
    known = np.arange(graph.n_items - n)
    return replace(graph, item_ids=ids, catalogue=dict.fromkeys(graph.catalogue, known))


def of_edges(graph: KnowledgeGraph, n: int) -> dict[str, Defect]:
    """Defects of single edges, n of most, at different places.

    Args:
        graph: the sound graph.
        n: a number of injected defects; the counts of the others follow from it.
    """
    users, items, entities = graph.n_users, graph.n_items, graph.n_entities
    u = np.arange(n)
    alone = np.flatnonzero(graph.social.degrees() == 0)[:n]
    # Of each edge that loses a direction, the one from the larger number: none loses both.
    backwards = np.flatnonzero(graph.social.indices < graph.social.row_of_entry())[: n // 2]
    lost = graph.interacts["cafe"].indptr[np.flatnonzero(graph.interacts["cafe"].degrees())[:n]]
    return {
        "edges lost on the way": Defect(
            {}, _on(CAFE, lambda c: without(c, lost))
        ),
        "edges of one direction": Defect(
            {("social", "symmetric"): n // 2}, _on("social", lambda c: without(c, backwards))
        ),
        "dangling: no such item": Defect(
            {(SHOP, "dangling_edge"): n, (SHOP, "class"): n},
            _on(SHOP, lambda c: with_edges(c, u, users + items + u)),
        ),
        "dangling: no such user": Defect(
            {("social", "dangling_edge"): n, ("social", "class"): n, ("social", "symmetric"): n},
            _on("social", lambda c: with_edges(c, alone, users + u)),
        ),
        "wrong type: items as entities": Defect(
            {("has_entity", "wrong_endpoint_type"): n, ("has_entity", "class"): n},
            _on("has_entity", lambda c: with_edges(c, u, entities + u)),
        ),
        "duplicate edges": Defect(
            {(SHOP, "max_per_pair"): n},
            _on(SHOP, lambda c: with_edges(c, c.row_of_entry()[-n:], c.indices[-n:])),
        ),
        "self-loops": Defect(
            {("social", "irreflexive"): n // 2},
            _on("social", lambda c: with_edges(c, alone[: n // 2], alone[: n // 2])),
        ),
        "triples of no relation": Defect(
            {("entity_entity", "unknown_relation"): 4},
            _on("entity_entity", lambda c: with_edges(c, [0, 1, 1, 2], [1, 0, 2, 1], kinds=9)),
        ),
        "weights NaN or below 0": Defect(
            {(CAFE, "min_exclusive"): n}, _on(CAFE, lambda c: _weights(c, n))
        ),
    }  # fmt: skip


def of_tables(graph: KnowledgeGraph, n: int) -> dict[str, Defect]:
    """Defects of node tables, splits, catalogue and audience, n of each.

    Args:
        graph: the sound graph.
        n: a number of injected defects.
    """
    users, items, u = graph.n_users, graph.n_items, np.arange(n)
    return {
        "duplicate nodes": Defect(
            {(USERS, "duplicate"): 2 * n}, tables=lambda f: _again(f, USERS, n)
        ),
        "two nodes of one id": Defect(
            {(ITEMS, "duplicate"): n, (ITEMS, "unique"): n}, tables=lambda f: _twins(f, n)
        ),
        "held-out pairs of no item, of no user": Defect(
            {(splits_file("shop"), "unknown_item"): n, (splits_file("cafe"), "unknown_user"): n},
            tables=_each(
                partial(_named, file=splits_file("shop"), n=n, item=items + u, split=2, shot_rank=0),
                partial(_named, file=splits_file("cafe"), n=n, user=users + u, split=2, shot_rank=0),
            ),
        ),
        "catalogue of no item, no domain, twice": Defect(
            {(CATALOGUE, "unknown_item"): n, (CATALOGUE, "unknown_domain"): n, (CATALOGUE, "duplicate"): n},
            tables=_each(
                partial(_again, file=CATALOGUE, n=n),
                partial(_named, file=CATALOGUE, n=n, item=items + u),
                partial(_named, file=CATALOGUE, n=n, domain="nosuch"),
            ),
        ),
        "audience of no user, no domain, twice": Defect(
            {(AUDIENCE, "unknown_user"): n, (AUDIENCE, "unknown_domain"): n, (AUDIENCE, "duplicate"): n},
            tables=_each(
                partial(_again, file=AUDIENCE, n=n),
                partial(_named, file=AUDIENCE, n=n, user=users + u),
                partial(_named, file=AUDIENCE, n=n, domain="nosuch"),
            ),
        ),
    }  # fmt: skip


def of_the_whole(graph: KnowledgeGraph, n: int, hub: int) -> dict[str, Defect]:
    """What breaks no rule of a single node or edge, with the counts of `structure`."""
    return {
        f"a hub of {hub:,} edges": Defect({(SHOP, "hub"): 1}, lambda g: _hub(g, hub)),
        "isolated nodes": Defect(
            {("isolated", "users"): n, ("components", "small_giant_component"): n},
            lambda g: _more_nodes(g, n, 0),
        ),
        "a split component": Defect(
            {
                ("has_entity", "min_count"): n,
                ("components", "count"): 1,
                ("components", "small_giant_component"): 2 * n,
            },
            lambda g: _island(g, n),
        ),
        "ids alike after NFC": Defect({(USERS, "look_alike"): n}, lambda g: _nfd(g, n)),
        "entities as items": Defect({(ITEMS, "item_is_entity"): n}, lambda g: _swapped(g, n)),
    }
