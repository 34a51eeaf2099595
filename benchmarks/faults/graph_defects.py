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
from dataclasses import replace
from pathlib import Path
from typing import Any

from broken_graphs import sound_graph, with_edges, with_relation, write_graph
from ibis.backends.duckdb import Backend
from injected_defects import SHOP, Counts, Defect, of_edges, of_tables, of_the_whole

from hier_dag.config.graph import GraphParams
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
        single = of_edges(sound, n) | of_tables(sound, n)
        for name, defect in single.items():
            rows.append(judge(con, name, sound, [defect], folder, {}, whole=False))
        for name, defect in of_the_whole(sound, n, hub).items():
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
