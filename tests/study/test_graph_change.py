"""Graphs with fewer links or sources, against the full sample platform."""

import numpy as np
import pytest

from hier_dag.graph.files import load_graph
from hier_dag.pipeline.stages import GRAPH
from hier_dag.study.graph_change import with_links, with_sources


@pytest.fixture
def graph(platform):
    config = platform.config
    return load_graph(platform.latest(GRAPH).path, config.source_names, config.target_names)


def entries(csr):
    kinds = np.zeros(csr.nnz, int) if csr.kinds is None else csr.kinds
    return set(zip(csr.row_of_entry().tolist(), csr.indices.tolist(), kinds.tolist(), strict=True))


def test_a_share_of_links_keeps_that_many_and_smaller_shares_lie_inside_larger_ones(graph):
    parts = {share: with_links(graph, share, 0) for share in (0.25, 0.5, 1.0)}
    assert parts[1.0] is graph
    for name in ("has_entity", "entity_entity"):
        whole, half, quarter = (entries(getattr(parts[s], name)) for s in (1.0, 0.5, 0.25))
        assert quarter < half < whole
        assert len(half) == pytest.approx(len(whole) / 2, abs=2)
        assert len(quarter) == pytest.approx(len(whole) / 4, abs=2)


def test_both_directions_of_a_triple_stay_or_go_together(graph):
    assert graph.entity_entity.nnz > 10
    left = entries(with_links(graph, 0.4, 3).entity_entity)
    assert {(col, row, kind) for row, col, kind in left} == left


def test_another_seed_draws_other_links(graph):
    a, b = (entries(with_links(graph, 0.5, seed).has_entity) for seed in (0, 1))
    assert len(a) == len(b)
    assert a != b


def test_links_are_dropped_and_no_interaction(graph):
    half = with_links(graph, 0.5, 0)
    for domain, pairs in graph.interactions.items():
        assert half.interactions[domain] is pairs
        assert half.interacts[domain] is graph.interacts[domain]


def test_a_source_that_is_left_out_leaves_nothing_of_itself(graph):
    kept, gone = graph.sources[:1], graph.sources[1:]
    part = with_sources(graph, kept)
    assert part.sources == kept
    assert part.targets == graph.targets
    for by_domain in (part.interacts, part.interactions, part.catalogue, part.audience):
        assert set(by_domain) == {*kept, *graph.targets}
    only_there = np.setdiff1d(
        np.concatenate([graph.catalogue[d] for d in gone]),
        np.concatenate([graph.catalogue[d] for d in (*kept, *graph.targets)]),
    )
    assert len(only_there)
    assert graph.has_entity.degrees()[only_there].sum() > 0
    assert part.has_entity.degrees()[only_there].sum() == 0
    others = np.setdiff1d(np.arange(graph.n_items), only_there)
    np.testing.assert_array_equal(part.has_entity.degrees()[others], graph.has_entity.degrees()[others])


def test_all_sources_are_the_graph_itself(graph):
    assert with_sources(graph, graph.sources) is graph
