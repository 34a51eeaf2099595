"""Every kind of constraint fails on data that must fail it, with the exact count, and on no other."""

import pytest

from benchmarks.faults.broken_graphs import sound_graph, view_of
from hier_dag.config.shapes import RelationShape
from schemas.shapes.check import check_shapes
from schemas.shapes.constraints import constraints_of, packaged_shapes
from schemas.shapes.node_rules import NODE_RULES
from schemas.shapes.relation_rules import COUNT_RULES, EDGE_RULES
from tests.schemas.shapes.broken_shapes import DEFECTS, constraints


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_counted_exactly_under_its_reason(engine, tmp_path, name):
    defect = DEFECTS[name]
    view = view_of(engine, defect.graph(sound_graph()), tmp_path / "graph", defect.tables)
    found = check_shapes(view, constraints())
    assert {(f.rule, f.table): f.count for f in found} == defect.breaks
    assert all(f.sample for f in found)


def test_every_kind_of_rule_has_a_canary():
    of_nodes = {kind for d in DEFECTS.values() for kind, table in d.breaks if table.startswith("nodes/")}
    of_edges = {kind for d in DEFECTS.values() for kind, table in d.breaks if not table.startswith("nodes/")}
    assert of_nodes == set(NODE_RULES)
    assert of_edges == set(EDGE_RULES) | set(COUNT_RULES)


@pytest.mark.parametrize("seed", range(5))
def test_sound_graphs_keep_the_packaged_shapes(engine, tmp_path, seed):
    view = view_of(engine, sound_graph(seed, users=40, items=30, entities=20), tmp_path / "graph")
    assert check_shapes(view, constraints_of(packaged_shapes().shapes)) == []


def test_a_failure_names_the_edges_by_their_ids_and_says_why_it_matters(engine, tmp_path):
    defect = DEFECTS["loops"]
    view = view_of(engine, defect.graph(sound_graph()), tmp_path / "graph")
    (loops,) = check_shapes(view, constraints())
    assert loops.sample == ("u2 → u2", "u5 → u5")
    assert (loops.severity, loops.shape) == ("violation", "shape-10.irreflexive:social")
    lonely = DEFECTS["items without links"]
    view = view_of(engine, lonely.graph(sound_graph()), tmp_path / "other")
    (found,) = check_shapes(view, constraints())
    assert (found.severity, found.sample, found.message) == (
        "warning",
        ("i1", "i4"),
        'no "link"',
    )


def test_what_every_platform_is_asked_covers_every_relation():
    shapes = packaged_shapes().shapes
    joined = {s.relation for s in shapes if isinstance(s, RelationShape) and s.source and s.target}
    assert joined == {"interacts", "has_entity", "entity_entity", "social"}
