"""A graph's profile against naive counts: components, isolated nodes, histograms, overlap and bridges."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.faults.broken_graphs import sound_graph, with_relation, without
from hier_dag.graph.components import components
from hier_dag.graph.csr import from_coo
from hier_dag.graph.degrees import log_histogram
from hier_dag.graph.profile import profile
from hier_dag.graph.relations import node_counts, relations_of


def naive_components(graph):
    """Union-find over every edge, one after another: sets of (type, number)."""
    nodes = [(t, n) for t, count in node_counts(graph).items() for n in range(count)]
    of = {node: {node} for node in nodes}
    for r in relations_of(graph).values():
        for a, b in zip(r.csr.row_of_entry().tolist(), r.csr.indices.tolist(), strict=True):
            one, other = of[(r.source, a)], of[(r.target, b)]
            if one is not other:
                one |= other
                of.update(dict.fromkeys(other, one))
    return nodes, of


def sparse(seed):
    """A graph of many small components: most edges are taken out again."""
    rng = np.random.default_rng(seed)
    graph = sound_graph(seed, users=50, items=30, entities=20, interactions=60, links=5, triples=40)
    for name in ("interacts:shop", "interacts:cafe", "has_entity", "social"):
        nnz = relations_of(graph)[name].csr.nnz
        gone = rng.choice(nnz, size=int(nnz * 0.7), replace=False)
        graph = with_relation(graph, name, lambda c, gone=gone: without(c, gone))
    return graph


@pytest.mark.parametrize("seed", range(8))
def test_components_equal_union_find(seed):
    graph = sparse(seed)
    labels = components(node_counts(graph), relations_of(graph).values())
    nodes, of = naive_components(graph)
    together = {frozenset(s) for s in of.values()}
    assert {frozenset(nodes[i] for i in np.flatnonzero(labels == k)) for k in np.unique(labels)} == together
    found = profile(graph)["components"]
    assert found["count"] == len(together)
    assert found["of_several_nodes"] == sum(len(s) > 1 for s in together)
    assert found["giant_nodes"] == max(map(len, together))
    alone = {next(iter(s))[0] for s in together if len(s) == 1}
    isolated = profile(graph)["isolated"]
    for kind, name in (("user", "users"), ("item", "items"), ("entity", "entities")):
        assert isolated[name] == sum(len(s) == 1 and next(iter(s))[0] == kind for s in together)
    assert alone


def test_a_chain_through_every_type_is_one_component():
    """u0 – i0 – e0 – e1 – i1 – u1: no first edge of a row joins all of it."""
    graph = sound_graph(users=2, items=2, entities=2, interactions=2, links=1, triples=1, friends=1)
    none = np.empty(0, int)
    graph = replace(
        graph,
        interacts={"shop": from_coo(np.arange(2), np.arange(2), 2, 2), "cafe": from_coo(none, none, 2, 2)},
        has_entity=from_coo(np.arange(2), np.arange(2), 2, 2),
        entity_entity=from_coo(np.arange(2), np.array([1, 0]), 2, 2, kinds=np.zeros(2, int)),
        social=from_coo(none, none, 2, 2),
    )
    assert profile(graph)["components"] == {
        "count": 1, "of_several_nodes": 1, "giant_nodes": 6, "giant_share": 1.0
    }  # fmt: skip


def test_histogram_bins_are_powers_of_two():
    degrees = np.array([0, 0, 1, 2, 3, 4, 7, 8, 1023, 1024, 2**40])
    histogram = log_histogram(degrees)
    edges = [0, 1, *(2**k for k in range(1, len(histogram)))]
    assert histogram == [int(((degrees >= a) & (degrees < b)).sum()) for a, b in pairwise(edges)]
    assert sum(histogram) == len(degrees)
    assert log_histogram(np.empty(0, dtype=np.int64)) == []


def test_a_domains_histogram_is_of_its_own_users_and_catalogue():
    graph = sound_graph(users=40, items=20, interactions=30)
    graph = replace(graph, catalogue={**graph.catalogue, "cafe": np.arange(12)})
    sides = profile(graph)["degree_histograms"]["interacts:cafe"]
    users = set(graph.interactions["cafe"].user.tolist())
    degrees = graph.interacts["cafe"].degrees()
    assert sum(sides["from"]) == len(users) < 40
    assert sides["from"][0] == sum(degrees[u] == 0 for u in users)
    assert sum(sides["to"]) == 12


def test_overlap_and_bridges_equal_sets():
    graph = sound_graph(users=60, items=30, interactions=50)
    graph = replace(graph, catalogue={"shop": np.arange(20), "cafe": np.arange(15, 30)})
    found = profile(graph)
    users = {d: set(p.user.tolist()) for d, p in graph.interactions.items()}
    entities = {
        d: {int(e) for i in c for e in graph.has_entity.indices[slice(*graph.has_entity.indptr[i : i + 2])]}
        for d, c in graph.catalogue.items()
    }
    assert found["shared_users"]["shop"]["cafe"] == len(users["shop"] & users["cafe"])
    assert found["shared_items"]["shop"]["cafe"] == 5
    assert found["shared_entities"]["shop"] == {
        d: len(entities["shop"] & entities[d]) for d in ("shop", "cafe")
    }
    assert found["bridges"] == {
        "users": len(users["shop"] & users["cafe"]),
        "items": 5,
        "entities": len(entities["shop"] & entities["cafe"]),
    }
    assert found["domains"]["cafe"]["users_with_source_history"] == len(users["shop"] & users["cafe"])


def test_the_largest_node_of_each_side_is_named():
    graph = sound_graph()
    top = profile(graph)["largest"]["has_entity"]["to"]
    degrees = np.bincount(graph.has_entity.indices)
    assert (top["type"], top["id"], top["degree"]) == ("entity", f"e{degrees.argmax()}", degrees.max())
    assert top["share"] == pytest.approx(degrees.max() / graph.has_entity.nnz, abs=1e-6)
