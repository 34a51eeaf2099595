"""Hubs, components and odd ids: counted, and judged by what is declared."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.faults.broken_graphs import sound_graph, view_of, with_relation
from hier_dag.config.graph import GraphParams
from hier_dag.graph.csr import from_coo
from hier_dag.graph.profile import profile
from schemas.graph_contract.ids import look_alikes, mistaken_items
from schemas.graph_contract.structure import structure

BIG = {"users": 400, "items": 100, "entities": 30, "interactions": 4000, "links": 300, "friends": 3000}


def judged(engine, folder, graph, **declared):
    view = view_of(engine, graph, folder)
    found = structure(view, profile(graph), GraphParams(**declared))
    return {(f.table, f.column, f.rule): (f.count, f.sample) for f in found.failures}, found.facts


def test_an_ordinary_graph_has_nothing_odd(engine, tmp_path):
    failures, facts = judged(engine, tmp_path / "graph", sound_graph(**BIG))
    assert failures == {}
    assert facts["giant_share"] == 1


def test_a_hub_is_named_with_its_edges(engine, tmp_path):
    hub = lambda c: from_coo(np.arange(c.rows).repeat(4), np.tile([7, 1, 2, 3], c.rows), c.rows, c.cols)  # noqa: E731
    graph = with_relation(sound_graph(**BIG), "interacts:shop", hub)
    failures, _ = judged(engine, tmp_path / "a", graph, max_hub_share=0.2)
    assert failures == {
        ("interacts:shop", "to", "hub"): (
            4,
            ("i1: 400 edges", "i2: 400 edges", "i3: 400 edges", "i7: 400 edges"),
        )
    }
    assert judged(engine, tmp_path / "b", graph, max_hub_share=0.25)[0] == {}


def test_in_a_relation_of_few_edges_nothing_is_a_hub(engine, tmp_path):
    all_one = lambda c: from_coo(np.arange(c.rows), np.zeros(c.rows, int), c.rows, c.cols)  # noqa: E731
    graph = with_relation(sound_graph(), "interacts:shop", all_one)
    assert judged(engine, tmp_path / "graph", graph)[0] == {}


def test_a_split_component_is_counted_by_the_nodes_outside(engine, tmp_path):
    graph = sound_graph(**BIG)
    alone = from_coo(np.array([0, 1]), np.array([1, 0]), 400, 400)
    empty = {d: from_coo(np.empty(0, int), np.empty(0, int), 400, 100) for d in graph.interacts}
    graph = replace(graph, social=alone, interacts=empty)
    failures, facts = judged(engine, tmp_path / "graph", graph, min_giant_share=0.5)
    # Users have lost every edge but one; items and entities (130 of 530 nodes) still hold together.
    assert failures[("components", None, "small_giant_component")][0] == 400
    assert facts["isolated"]["users"] == 398
    assert facts["count"] == 1 + 1 + 398


NFC, NFD = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(
    ("ids", "count"),
    [
        ([], 0),
        ([NFC, "cafe"], 0),
        ([NFC, NFD], 1),
        (["\u212b", "\u00c5", "A\u030a"], 2),  # Ångström sign, Å, A with ring
        (["K", "\u212a"], 1),  # Kelvin sign: its normal form is ASCII
    ],
)
def test_look_alikes_are_counted_and_never_merged(engine, tmp_path, ids, count):
    graph = sound_graph()
    graph.user_ids[: len(ids)] = ids
    view = view_of(engine, graph, tmp_path / "graph")
    assert sum(f.count for f in look_alikes(view)) == count
    assert view.nodes("user").count().to_pyarrow().as_py() == 14
    assert all(a.isascii() for f in look_alikes(view) for a in f.sample)


def test_items_that_only_links_name_and_that_are_users_or_entities(engine, tmp_path):
    """Rows with swapped columns: e2 and u3 stand where an item should, i0 is sold and so is an item."""
    graph = sound_graph()
    graph.item_ids[5:9] = ["e2", "e3", "u3", "new"]
    graph.user_ids[0] = "i0"
    catalogue = {d: np.arange(5) for d in graph.catalogue}
    view = view_of(engine, replace(graph, catalogue=catalogue), tmp_path / "graph")
    assert {f.rule: (f.count, f.sample) for f in mistaken_items(view)} == {
        "item_is_user": (1, ("u3",)),
        "item_is_entity": (2, ("e2", "e3")),
    }
