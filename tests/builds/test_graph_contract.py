"""What becomes of a staged graph: refused, committed with a warning, or compared with the one before."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from benchmarks.faults.broken_graphs import sound_graph, with_edges, with_relation, without, write_graph
from hier_dag.builds.graph_contract import Accepted, judge_graph, last_accepted
from hier_dag.config.graph import GraphParams
from hier_dag.graph.profile import profile
from hier_dag.ingest.connection import connect
from hier_dag.pipeline.stages import GRAPH

BIG = {"users": 500, "items": 100, "entities": 40, "interactions": 5000, "links": 300, "friends": 4000}


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with connect(tmp_path_factory.mktemp("scratch"), threads=1) as backend:
        yield backend


def judged(con, folder, graph, accepted=None, shapes=(), stored=None, **declared):
    write_graph(stored or graph, folder)
    params = {**GraphParams(**declared).model_dump(exclude={"shapes"}), "shapes": list(shapes)}
    found = judge_graph(con, folder, graph, params, accepted)
    return found, {c.name: c for c in found.checks}


def test_a_sound_graph_passes_and_its_files_do_not_depend_on_the_graph_before(con, tmp_path):
    graph = sound_graph(**BIG)
    found, checks = judged(con, tmp_path / "one", graph)
    assert {name: c.passed for name, c in checks.items()} == dict.fromkeys(
        ("integrity", "shapes", "structure", "degree_drift"), True
    )
    assert checks["degree_drift"].facts["compared_with"] is None
    before = Accepted("0" * 64, profile(sound_graph(seed=3, **BIG | {"friends": 100})))
    _, again = judged(con, tmp_path / "two", graph, before)
    assert not again["degree_drift"].passed
    assert again["degree_drift"].facts["compared_with"] == "0" * 64
    for file in ("profile.json", "shapes.ttl"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert json.loads((tmp_path / "one" / "profile.json").read_text()) == found.profile


def test_a_broken_graph_is_refused_with_everything_that_is_wrong(con, tmp_path):
    graph = with_relation(sound_graph(**BIG), "social", lambda c: with_edges(c, [1, 7], [1, 9999]))
    found, checks = judged(con, tmp_path / "graph", graph, stored=sound_graph(**BIG))
    assert found.profile is None
    assert set(checks) == {"integrity", "shapes"}
    rules = {f["rule"]: f["count"] for f in checks["integrity"].facts["failures"]}
    assert rules == {"dangling_edge": 1, "edges_not_conserved": 2}
    assert {f["rule"] for f in checks["shapes"].facts["failures"]} == {"class", "irreflexive", "symmetric"}


def _pair(graph, user, item):
    """A graph with one more held-out pair in the shop."""
    pairs = graph.interactions["shop"]
    held_out = {"user": user, "item": item, "split": 2, "shot_rank": 0, "share_rank": 0.5, "weight": 1.0}
    more = {name: np.append(v, np.array(held_out[name], v.dtype)) for name, v in vars(pairs).items()}
    return replace(graph, interactions={**graph.interactions, "shop": replace(pairs, **more)})


def _members(graph, part, domain, *numbers):
    """A graph with further numbers in a domain's catalogue or audience."""
    own = getattr(graph, part)
    return replace(graph, **{part: {**own, domain: np.append(own.get(domain, np.array([], int)), numbers)}})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda g: _pair(g, 0, 99999), ("splits/shop.parquet", "unknown_item", 1)),
        (lambda g: _pair(g, 99999, 0), ("splits/shop.parquet", "unknown_user", 1)),
        (lambda g: _members(g, "catalogue", "cafe", 99999), ("catalogue.parquet", "unknown_item", 1)),
        (lambda g: _members(g, "catalogue", "cafe", 5, 7), ("catalogue.parquet", "duplicate", 2)),
        (lambda g: _members(g, "catalogue", "nosuch", 5, 7), ("catalogue.parquet", "unknown_domain", 2)),
        (lambda g: _members(g, "audience", "cafe", 99999), ("audience.parquet", "unknown_user", 1)),
        (lambda g: _members(g, "audience", "cafe", 5), ("audience.parquet", "duplicate", 1)),
        (lambda g: _members(g, "audience", "nosuch", 5), ("audience.parquet", "unknown_domain", 1)),
    ],
)
def test_a_table_that_names_what_is_not_there_is_refused_before_it_is_counted_over(
    con, tmp_path, change, expected
):
    found, checks = judged(con, tmp_path / "graph", change(sound_graph(**BIG)))
    assert found.profile is None
    assert set(checks) == {"integrity", "shapes"}
    assert [(f["table"], f["rule"], f["count"]) for f in checks["integrity"].facts["failures"]] == [expected]


def test_a_warning_is_counted_and_lets_pass_a_violation_does_not(con, tmp_path):
    lonely = with_relation(sound_graph(**BIG), "has_entity", lambda c: without(c, np.arange(c.indptr[2])))
    _, checks = judged(con, tmp_path / "a", lonely)
    (warned,) = checks["shapes"].facts["failures"]
    assert checks["shapes"].passed
    assert (warned["severity"], warned["count"], warned["sample"]) == ("warning", 2, ["i0", "i1"])
    own = {"relation": "has_entity", "per": "from", "minCount": 1}
    _, checks = judged(con, tmp_path / "b", lonely, shapes=[own])
    assert not checks["shapes"].passed


@pytest.mark.parametrize(("level", "advisory"), [("warn", True), ("block", False)])
def test_structure_and_drift_inform_or_block_as_declared(con, tmp_path, level, advisory):
    graph = sound_graph(**BIG)
    before = Accepted("0" * 64, profile(sound_graph(**BIG | {"friends": 100})))
    found, checks = judged(
        con, tmp_path / "graph", graph, before, structure=level, degree_drift=level, max_hub_share=0.001
    )
    for name in ("structure", "degree_drift"):
        assert not checks[name].passed
        assert (name in found.advisory) is advisory


def test_the_last_accepted_graph_is_read_by_its_profile_alone(own):
    """A built platform: the next graph is compared with it although its edges cannot be read any more."""
    artifact = own.latest(GRAPH)
    accepted = last_accepted(own.workshop())
    assert accepted.digest == artifact.digest
    assert accepted.profile == artifact.json("profile.json")
    edges = artifact.path / "edges.safetensors"
    assert load_file(edges)
    edges.chmod(0o600)
    edges.write_bytes(b"")
    assert last_accepted(own.workshop()) == accepted
    (artifact.path / "profile.json").chmod(0o600)
    (artifact.path / "profile.json").write_text("{}")
    assert last_accepted(own.workshop()) is None


def test_a_second_graph_is_compared_with_the_first_and_says_so(own):
    first = own.latest(GRAPH)
    drift = {c.name: c for c in own.registry.checks(first.digest)}["degree_drift"]
    assert drift.facts["compared_with"] is None
    friends = own.data / "links/friends.parquet"
    table = pq.read_table(friends)
    pq.write_table(table.slice(0, table.num_rows // 3), friends)
    assert own.outcomes(only=["grocery"])["kg/graph"] == "made"
    second = own.latest(GRAPH)
    drift = {c.name: c for c in own.registry.checks(second.digest)}["degree_drift"]
    assert drift.facts["compared_with"] == first.digest
    assert drift.facts["drifted"] == ["social.from"]
    assert not drift.passed
