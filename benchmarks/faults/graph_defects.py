"""Graph defects: a graph of 10 M edges broken in every way that the contract must count exactly.

    python benchmarks/faults/graph_defects.py [--json] [--small]

Each row of the table breaks a sound graph in one way and compares every count of the contract with what was
injected: a defect that is missed, counted otherwise or under another rule fails the row, and so does a false
alarm. The last rows break it in all ways at once, and compare a sample of it with pyshacl (where that is
installed). `--small` has a hundredth of the edges.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from broken_graphs import sound_graph, text, with_edges, with_relation, without, write_graph
from ibis.backends.duckdb import Backend

from hier_dag.config.graph import GraphParams
from hier_dag.graph.csr import CSR
from hier_dag.graph.files import AUDIENCE, CATALOGUE, ITEMS, USERS, splits_file
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.graph.profile import profile
from hier_dag.graph.relations import relations_of
from hier_dag.ingest.connection import connect
from schemas.graph_contract.conservation import conservation
from schemas.graph_contract.integrity import integrity
from schemas.graph_contract.sample import sampled
from schemas.graph_contract.structure import structure
from schemas.graph_contract.view import GraphView
from schemas.shapes.check import check_shapes
from schemas.shapes.constraints import constraints_of, packaged_shapes

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


def defects(graph: KnowledgeGraph, n: int) -> dict[str, Defect]:
    """Every defect of edges and nodes, n of most; those of edges are at different places.

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


def shapes_of_a_whole(graph: KnowledgeGraph, n: int, hub: int) -> dict[str, Defect]:
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


def counted(
    con: Backend, graph: KnowledgeGraph, folder: Path, *, whole: bool
) -> tuple[Counts, dict[str, float]]:
    """What the contract counts in a written graph, and seconds of its parts."""
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        out = work()
        seconds[name] = time.perf_counter() - began
        return out

    view, constraints = GraphView(con, folder, graph), constraints_of(packaged_shapes().shapes)
    found = timed("integrity", lambda: integrity(view) + conservation(view))
    found += timed("shapes", lambda: check_shapes(view, constraints))
    counts: Counts = {}
    if whole:
        facts = timed("profile", lambda: profile(graph))
        limits = GraphParams(min_giant_share=1.0)
        found += timed("structure", lambda: structure(view, facts, limits)).failures
        counts[("isolated", "users")] = facts["isolated"]["users"]
        counts[("components", "count")] = facts["components"]["of_several_nodes"] - 1
    for f in found:
        counts[(f.table, f.rule)] = counts.get((f.table, f.rule), 0) + f.count
    return {key: n for key, n in counts.items() if n}, seconds


def conserved(broken: KnowledgeGraph, sound: KnowledgeGraph) -> Counts:
    """Edges that a broken graph has more or less than the sound one, whose splits and ledger it keeps."""
    before = relations_of(sound)
    differ = {name: abs(r.csr.nnz - before[name].csr.nnz) for name, r in relations_of(broken).items()}
    return {(name, "edges_not_conserved"): n for name, n in differ.items() if n}


def added(*counts: Counts) -> Counts:
    """Counts summed up."""
    out: Counts = {}
    for more in counts:
        for key, n in more.items():
            out[key] = out.get(key, 0) + n
    return {key: n for key, n in out.items() if n}


def judge(
    con: Backend,
    name: str,
    sound: KnowledgeGraph,
    broken: list[Defect],
    folder: Path,
    before: Counts,
    *,
    whole: bool,
) -> dict[str, Any]:
    """One row of the table: the graph with some defects, written, and every count against what was injected.

    Args:
        con: the engine.
        name: of the row.
        sound: the graph.
        broken: defects, applied one after another.
        folder: to write into.
        before: counts of the sound graph.
        whole: also judge components, hubs and ids, which takes a graph of sound integrity.
    """
    graph = sound
    for defect in broken:
        graph = defect.graph(graph)
    shutil.rmtree(folder, ignore_errors=True)
    nodes = ("user_ids", "item_ids", "entity_ids", "entity_names", "catalogue")
    write_graph(replace(sound, **{part: getattr(graph, part) for part in nodes}), folder)
    for defect in broken:
        defect.tables(folder)
    wanted = added(before, conserved(graph, sound), *(d.expected for d in broken))
    found, seconds = counted(con, graph, folder, whole=whole)
    wrong = {
        k: (wanted.get(k, 0), found.get(k, 0)) for k in {*wanted, *found} if wanted.get(k) != found.get(k)
    }
    return {
        "defect": name,
        "edges": sum(r.csr.nnz for r in relations_of(graph).values()),
        "injected": sum(wanted.values()) - sum(before.values()),
        "counted": sum(found.values()) - sum(before.values()),
        "rules": {f"{table} {rule}": n - before.get((table, rule), 0) for (table, rule), n in found.items()
                  if n != before.get((table, rule), 0)},
        "wrong": {" ".join(key): pair for key, pair in wrong.items()},
        "seconds": {part: round(s, 3) for part, s in seconds.items()},
    }  # fmt: skip


def agreement(con: Backend, sound: KnowledgeGraph, folder: Path) -> dict[str, Any] | None:
    """Violations of a broken sample that pyshacl and the columnar checks report; None without pyshacl."""
    if importlib.util.find_spec("pyshacl") is None:
        return None
    from shacl_agreement import found_by_columns, told_by_shacl

    small = sampled(sound, {"user": 60, "item": 60, "entity": 30})
    n_users, n_items = small.n_users, small.n_items
    bad = with_relation(small, "social", lambda c: with_edges(c, [1, 2, 5], [1, n_users + 9, 3]))
    bad = with_relation(bad, "has_entity", lambda c: with_edges(c, [0, 0, 4], [5, 5, 33]))
    bad = with_relation(bad, SHOP, lambda c: with_edges(c, [0, 1], [2, n_items], values=-1))
    bad = with_relation(bad, "entity_entity", lambda c: with_edges(c, [2, 4], [2, 1], kinds=1))
    constraints, told = constraints_of(packaged_shapes().shapes), {}
    for name, graph in (("clean", small), ("broken", bad)):
        shutil.rmtree(folder, ignore_errors=True)
        write_graph(graph, folder)
        view = GraphView(con, folder, graph)
        columns = found_by_columns(view, constraints)
        told[name] = {"violations": len(columns), "same": told_by_shacl(view, constraints) == columns}
    return told


def measure(*, small: bool) -> dict[str, Any]:
    """The whole table."""
    scale, n, hub = (100, 100, 10_000) if small else (1, 1000, 1_000_000)
    sound = sound_graph(
        users=1_200_000 // scale,
        items=100_000 if not small else 8000,
        entities=10_000 // (scale // 10 or 1),
        interactions=4_000_000 // scale,
        links=400_000 // scale,
        triples=20_000,
        friends=4_000_000 // scale,
    )
    with tempfile.TemporaryDirectory() as place, connect(Path(place) / "scratch") as con:
        folder = Path(place) / "graph"
        write_graph(sound, folder)
        plain, _ = counted(con, sound, folder, whole=False)
        before, seconds = counted(con, sound, folder, whole=True)
        # Users whom nothing was drawn for stand alone in the sound graph too.
        edges = sum(r.csr.nnz for r in relations_of(sound).values())
        none = {"injected": 0, "counted": sum(plain.values()), "rules": {}, "wrong": plain}
        rows: list[dict[str, Any]] = [{"defect": "none", "edges": edges, "seconds": seconds, **none}]
        single = defects(sound, n)
        for name, defect in single.items():
            rows.append(judge(con, name, sound, [defect], folder, {}, whole=False))
        for name, defect in shapes_of_a_whole(sound, n, hub).items():
            rows.append(judge(con, name, sound, [defect], folder, before, whole=True))
        every = list(single.values())
        rows.append(judge(con, "all of nodes and edges at once", sound, every, folder, {}, whole=False))
        return {"rows": rows, "pyshacl": agreement(con, sound, folder)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print records instead of a table")
    parser.add_argument("--small", action="store_true", help="a hundredth of the edges")
    given = parser.parse_args()
    found = measure(small=given.small)
    wrong = [r["defect"] for r in found["rows"] if r["wrong"]]
    agrees = found["pyshacl"] is None or all(v["same"] for v in found["pyshacl"].values())
    if given.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        _print(found)
    sys.exit(1 if wrong or not agrees else 0)


def _print(found: dict[str, Any]) -> None:
    print("| defect | edges | counted | exact |\n|---|---|---|---|")
    for r in found["rows"]:
        exact = "yes" if not r["wrong"] else f"no: {r['wrong']}"
        rules = ", ".join(f"`{rule}` {n:,}" for rule, n in r["rules"].items()) or "nothing"
        print(f"| {r['defect']} | {r['edges']:,} | {rules} | {exact} |")
    print(f"\nSound graph, seconds: {found['rows'][0]['seconds']}")
    print(f"pyshacl on a sample: {found['pyshacl'] or 'not installed'}")


if __name__ == "__main__":
    main()
