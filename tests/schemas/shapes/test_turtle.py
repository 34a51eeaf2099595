"""shapes.ttl means what the columnar checks do: pyshacl finds the same nodes and edges at fault."""

import numpy as np
import pytest

from benchmarks.faults.broken_graphs import sound_graph, view_of, with_edges, with_relation
from schemas.graph_contract.sample import sampled
from schemas.shapes.check import check_shapes
from schemas.shapes.constraints import constraints_of, packaged_shapes
from schemas.shapes.export import node_iri, to_triples
from schemas.shapes.turtle import VOCABULARY
from tests.schemas.shapes.broken_shapes import DEFECTS, constraints

pytest.importorskip("pyshacl", reason="pyshacl and rdflib come with the test extra: pip install -e '.[test]'")

from benchmarks.faults.shacl_agreement import found_by_columns, told_by_shacl


# SHACL calls a value that cannot be compared a violation of either bound; pyshacl takes a NaN for small.
@pytest.mark.parametrize("name", sorted(DEFECTS.keys() - {"no weight at all"}))
def test_pyshacl_reports_the_very_nodes_and_edges(engine, tmp_path, name):
    defect = DEFECTS[name]
    view = view_of(engine, defect.graph(sound_graph()), tmp_path / "graph", defect.tables)
    told = told_by_shacl(view, constraints())
    assert told == found_by_columns(view, constraints())
    counts = {}
    for shape, _, _ in told:
        counts[shape] = counts.get(shape, 0) + 1
    assert counts == {f.shape: f.count for f in check_shapes(view, constraints())}
    assert sum(counts.values()) == sum(defect.breaks.values())


@pytest.mark.parametrize("seed", range(3))
def test_a_sample_of_a_larger_graph_agrees_clean_and_with_every_defect_at_once(engine, tmp_path, seed):
    big = sound_graph(seed, users=900, items=300, entities=60, interactions=6000, links=900, friends=4000)
    asked = constraints_of(packaged_shapes().shapes)
    small = sampled(big, {"user": 40, "item": 40, "entity": 20}, seed)
    assert small.interacts["shop"].nnz > 5
    clean = view_of(engine, small, tmp_path / "clean")
    assert told_by_shacl(clean, asked) == found_by_columns(clean, asked)
    bad = with_relation(small, "social", lambda c: with_edges(c, [1, 2, 70, 3], [1, 9, 3, 70], size=71))
    bad = with_relation(bad, "has_entity", lambda c: with_edges(c, [0, 0, 4], [5, 5, 33]))
    bad = with_relation(bad, "interacts:cafe", lambda c: with_edges(c, [0, 1], [2, 99], values=-1))
    bad = with_relation(bad, "entity_entity", lambda c: with_edges(c, [2, 4], [2, 1], kinds=1))
    view = view_of(engine, bad, tmp_path / "bad")
    told = told_by_shacl(view, asked)
    assert told == found_by_columns(view, asked)
    assert len(np.unique([shape for shape, _, _ in told])) >= 6


def test_ids_of_any_characters_survive_the_export(engine, tmp_path):
    import rdflib

    graph = sound_graph()
    graph.user_ids[:3] = ['"\\\n\t', "e\u0301\U0001f375", "\x7f\x01 \u2028"]
    view = view_of(engine, graph, tmp_path / "graph")
    data = rdflib.Graph().parse(data="\n".join(to_triples(view)), format="nt")
    for number in range(3):
        subject = rdflib.URIRef(node_iri("user", number)[1:-1])
        ((_, _, value),) = data.triples((subject, rdflib.URIRef(f"{VOCABULARY}id"), None))
        assert str(value) == graph.user_ids[number]
