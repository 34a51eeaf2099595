"""Every way in which a graph's tables and arrays may not fit is found, counted exactly, and named by ids."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.faults.broken_graphs import (
    rewrite_nodes,
    sound_graph,
    view_of,
    with_edges,
    with_relation,
    without,
    write_graph,
)
from hier_dag.graph import files
from schemas.graph_contract.conservation import conservation
from schemas.graph_contract.integrity import integrity
from schemas.graph_contract.view import GraphView


def found(view):
    return {(f.table, f.column, f.rule): f.count for f in integrity(view) + conservation(view)}


@pytest.mark.parametrize("seed", range(5))
def test_a_sound_graph_has_no_failure(engine, tmp_path, seed):
    graph = sound_graph(seed, users=60, items=40, entities=20, interactions=300, friends=500)
    assert found(view_of(engine, graph, tmp_path / "graph")) == {}


def broken(engine, tmp_path, relation, change):
    """Integrity of the sound graph with one relation changed; edges are not expected to be conserved."""
    view = view_of(engine, with_relation(sound_graph(), relation, change), tmp_path / "graph")
    return {key: n for key, n in found(view).items() if key[2] != "edges_not_conserved"}


@pytest.mark.parametrize(
    ("relation", "change", "expected"),
    [
        # 14 users, 9 items, 7 entities: number 12 is a user and no item, number 99 is nothing at all.
        ("interacts:shop", lambda c: with_edges(c, [0, 1, 2], [99, 99, 500]), {("to", "dangling_edge"): 3}),
        ("interacts:cafe", lambda c: with_edges(c, [0, 1], [12, 13]), {("to", "wrong_endpoint_type"): 2}),
        (
            "has_entity",
            lambda c: with_edges(c, [0, 1, 1], [7, 8, 40]),
            {("to", "wrong_endpoint_type"): 2, ("to", "dangling_edge"): 1},
        ),
        (
            "has_entity",
            lambda c: with_edges(c, [9, 9, 30], [0, 1, 2], size=31),
            {("indptr", "wrong_shape"): 1, ("from", "wrong_endpoint_type"): 2, ("from", "dangling_edge"): 1},
        ),
        ("social", lambda c: with_edges(c, [0, 1], [-1, -3]), {("to", "dangling_edge"): 2}),
        (
            "entity_entity",
            lambda c: with_edges(c, [0, 1], [1, 2], kinds=[2, -1]),
            {("kinds", "unknown_relation"): 2},
        ),
        ("has_entity", lambda c: replace(c, cols=8), {("cols", "wrong_shape"): 1}),
        ("has_entity", lambda c: replace(c, indices=c.indices[:-1]), {("indptr", "broken_csr"): 1}),
        ("social", lambda c: replace(c, indptr=c.indptr[::-1].copy()), {("indptr", "broken_csr"): 1}),
        ("interacts:shop", lambda c: replace(c, values=c.values[1:]), {("indptr", "broken_csr"): 1}),
    ],
)  # fmt: skip
def test_edges_that_do_not_fit_are_counted_exactly(engine, tmp_path, relation, change, expected):
    assert broken(engine, tmp_path, relation, change) == {(relation, *k): n for k, n in expected.items()}


def test_edges_out_of_order_are_counted(engine, tmp_path):
    def swapped(csr):
        row = int(np.argmax(csr.degrees()))
        indices = csr.indices.copy()
        start, end = csr.indptr[row], csr.indptr[row + 1]
        indices[start:end] = indices[start:end][::-1]
        return replace(csr, indices=indices)

    degrees = sound_graph().interacts["shop"].degrees()
    assert broken(engine, tmp_path, "interacts:shop", swapped) == {
        ("interacts:shop", "indices", "unsorted"): degrees.max() - 1
    }


def test_a_dangling_edge_is_named_by_the_ids_of_its_ends(engine, tmp_path):
    graph = with_relation(sound_graph(), "social", lambda c: with_edges(c, 3, 77))
    (failure,) = integrity(view_of(engine, graph, tmp_path / "graph"))
    assert failure.sample == ("u3 → user number 77",)


def test_the_anti_join_is_exact_where_numbers_are_not_dense(engine, tmp_path):
    """Item 4 is gone from the table and an item 50 is new: edges at 4 dangle, one at 50 does not."""
    graph = with_relation(sound_graph(), "has_entity", lambda c: with_edges(c, 50, 0, size=51))
    at_4 = sum(int((c.indices == 4).sum()) for c in graph.interacts.values())
    numbers = pa.array([0, 1, 2, 3, 50, 5, 6, 7, 8])
    view = view_of(engine, graph, tmp_path / "graph", lambda f: rewrite_nodes(f, "item", item=numbers))
    counts = found(view)
    ends = {k: n for k, n in counts.items() if k[2] in ("dangling_edge", "wrong_endpoint_type")}
    # Users and entities have a number 4 as well, so these edges end at nodes of another type.
    assert {k[2] for k in ends} == {"wrong_endpoint_type"}
    assert sum(n for (table, *_), n in ends.items() if table.startswith("interacts:")) == at_4
    assert ends[("has_entity", "from", "wrong_endpoint_type")] == graph.has_entity.degrees()[4]
    assert counts[(files.ITEMS, "item", "not_dense")] == 1


def test_duplicate_nodes_are_counted_beyond_the_first_of_each(engine, tmp_path):
    def doubled(folder):
        table = pq.read_table(folder / files.USERS)
        pq.write_table(pa.concat_tables([table, table.take([1, 1, 6])]), folder / files.USERS)

    counts = found(view_of(engine, sound_graph(), tmp_path / "graph", doubled))
    assert counts[(files.USERS, "user", "duplicate")] == 3
    assert counts[(files.USERS, "user_id", "duplicate")] == 3


def test_a_pair_in_two_splits_is_found_although_files_are_sorted(engine, tmp_path):
    folder = tmp_path / "graph"
    graph = sound_graph()
    write_graph(graph, folder)
    table = pq.read_table(folder / files.splits_file("shop"))
    pq.write_table(pa.concat_tables([table.slice(0, 1), table]), folder / files.splits_file("shop"))
    pairs = graph.interactions["shop"]
    twice = {name: np.concatenate([v[:1], v]) for name, v in vars(pairs).items()}
    graph = replace(graph, interactions={**graph.interactions, "shop": type(pairs)(**twice)})
    assert found(GraphView(engine, folder, graph))[(files.splits_file("shop"), "user,item", "duplicate")] == 1


@pytest.mark.parametrize("relation", ["interacts:shop", "has_entity", "entity_entity", "social"])
def test_an_edge_that_was_lost_or_made_on_the_way_shows(engine, tmp_path, relation):
    folder = tmp_path / "graph"
    graph = sound_graph()
    write_graph(graph, folder)
    lost = GraphView(engine, folder, with_relation(graph, relation, lambda c: without(c, [0, 1, 2])))
    assert {(f.table, f.rule): f.count for f in conservation(lost)} == {(relation, "edges_not_conserved"): 3}
    made = GraphView(engine, folder, with_relation(graph, relation, lambda c: with_edges(c, 0, 1)))
    assert {(f.table, f.rule): f.count for f in conservation(made)} == {(relation, "edges_not_conserved"): 1}
