"""The leakage certificate: what a graph must not know is refused and named."""

import dataclasses
import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.errors import ContractError, StoreError
from hier_dag.graph.build import build_graph
from hier_dag.graph.certificate import Certificate
from hier_dag.graph.csr import from_coo
from hier_dag.graph.files import first_times
from hier_dag.graph.knowledge_graph import TEST, TRAIN
from hier_dag.graph.leakage import certify
from hier_dag.graph.pair_hashes import NodeHashes, digest_of_hashes
from hier_dag.graph.training_pairs import Used, holds, training_certificate

TIME = {"kind": "global_time", "validation_from": "2026-01-11", "test_from": "2026-01-16"}
LATER = {"kind": "global_time", "validation_from": "2026-01-19", "test_from": "2026-01-21"}
HASH = {"kind": "seeded_hash", "test": 0.0, "validation": 0.0, "seed": 0}
CUT = datetime(2026, 1, 11, tzinfo=UTC)
# Days count from 0: day 10 is the 11th of January.
SHOP = [
    ("u1", "i1", 0, None, 1.0),
    ("u1", "i1", 2, None, 2.0),
    ("u1", "i1", 20, None, 4.0),
    ("u2", "i2", 1, None, 1.0),
    ("u2", "i3", 20, None, 1.0),
]
CAFE = [("u1", "i3", 3, None, 1.0), ("u3", "i4", 18, None, 1.0), ("u2", "i1", 12, None, 1.0)]


@pytest.fixture
def build(con, platform, write, links, tmp_path):
    """Builds shop (source) and cafe (target); gives the folder and the graph."""

    def graph(shop=SHOP, cafe=CAFE, source=TIME, target=TIME):
        out = tmp_path / "graph"
        out.mkdir()
        events = {"shop": write("shop", shop), "cafe": write("cafe", cafe)}
        return out, build_graph(con, platform(source=source, target=target), events, links, out)

    return graph


@pytest.fixture
def certified(build):
    """Certifies a changed graph of the same ids as the build's own does."""
    out, graph = build()

    def again(cut=CUT, nodes=None, first=None, **changes):
        times = {d: first_times(out, d) for d in graph.interactions} | (first or {})
        changed = dataclasses.replace(graph, **changes)
        return certify(changed, nodes or Certificate.read(out).nodes, times, cut)

    return graph, again


def with_edges(graph, domain, *pairs):
    """Interacts of all domains, with some (user id, item id) added to one."""
    csr = graph.interacts[domain]
    user, item = (
        np.array([np.flatnonzero(ids == p[at])[0] for p in pairs])
        for at, ids in enumerate((graph.user_ids, graph.item_ids))
    )
    rows, cols = np.concatenate([csr.row_of_entry(), user]), np.concatenate([csr.indices, item])
    return {**graph.interacts, domain: from_coo(rows, cols, graph.n_users, graph.n_items)}


def test_a_sound_graph_is_certified_with_counts_and_digests(build):
    out, graph = build()
    record = json.loads((out / "leakage.json").read_text())
    assert record["cut"] == "2026-01-11T00:00:00+00:00"
    assert record["in_both"] == 0
    assert (record["edges"], record["held_out_pairs"]) == (3, 3)
    shop = record["domains"]["shop"]
    assert (shop["edges"], shop["held_out"], shop["undated"], shop["after_cut"]) == (2, 1, 0, 0)
    assert record["domains"]["cafe"]["undated"] is None  # pre-training never reads a target's edges
    held = pq.read_table(out / "leakage/held_out.parquet")["hash"].to_numpy()
    assert (np.diff(held) > 0).all()
    assert digest_of_hashes(held) == record["held_out_sha256"]
    nodes = Certificate.read(out).nodes
    edges = nodes.of(graph.interacts["shop"].row_of_entry(), graph.interacts["shop"].indices)
    assert digest_of_hashes(edges.ordered) == shop["edges_sha256"]


def test_an_edge_that_its_own_domain_tests_is_refused_and_named(certified):
    graph, again = certified
    with pytest.raises(ContractError, match=r"shop.*user u2, item i3: test of shop") as refused:
        again(interacts=with_edges(graph, "shop", ("u2", "i3")))
    assert refused.value.detail["sample"] == [{"user": "u2", "item": "i3", "held_out_by": ["test of shop"]}]


def test_an_edge_that_another_domain_holds_out_is_refused_and_named(certified):
    graph, again = certified
    with pytest.raises(ContractError, match=r"shop.*2 edge.*u2, item i1: validation of cafe.*u3.*i4: test"):
        again(interacts=with_edges(graph, "shop", ("u2", "i1"), ("u3", "i4")))


def test_an_edge_of_a_source_that_began_at_the_cut_is_refused_and_named(certified):
    _, again = certified
    first = {"shop": np.array(["2026-01-11", "2026-01-02", "2026-01-21"], "datetime64[us]")}
    with pytest.raises(
        ContractError, match=r"shop.*1 edge.*cut 2026-01-11T.*u1, item i1: 2026-01-11T00:00:00"
    ):
        again(first=first)
    first["shop"][0] -= np.timedelta64(1, "us")
    assert again(first=first).record["domains"]["shop"]["after_cut"] == 0
    assert again(cut=None).record["domains"]["shop"]["after_cut"] is None


def test_an_edge_that_is_no_training_pair_is_refused_and_named(certified):
    graph, again = certified
    with pytest.raises(ContractError, match=r"shop.*no training pair.*user u3, item i2"):
        again(interacts=with_edges(graph, "shop", ("u3", "i2")))
    with pytest.raises(ContractError, match="0 edges for 2 training pairs"):
        again(interacts={**graph.interacts, "shop": from_coo(*[np.zeros(0, np.int64)] * 2, 3, 4)})


def test_colliding_hashes_raise_no_false_alarm_and_hide_nothing(certified):
    graph, again = certified
    nodes = NodeHashes(np.zeros(graph.n_users, np.uint64), np.zeros(graph.n_items, np.uint64))
    assert again(nodes=nodes).record["in_both"] == 0
    with pytest.raises(ContractError, match="user u3, item i4"):
        again(nodes=nodes, interacts=with_edges(graph, "shop", ("u3", "i4")))


def test_weights_know_nothing_after_the_cut_and_first_is_kept(build):
    out, graph = build()
    assert graph.interacts["shop"].values.tolist() == [3.0, 1.0]  # the event of the 21st weighs 4
    splits = pq.read_table(out / "splits/shop.parquet")
    assert splits.schema.field("first").type == pa.timestamp("us", "UTC")
    assert [t.day for t in splits["first"].to_pylist()] == [1, 2, 21]


def test_the_cut_is_the_earliest_of_all_domains_and_binds_sources_alone(build):
    shop = [*SHOP, ("u3", "i1", 12, None, 1.0), ("u3", "i2", 9, None, 1.0), ("u3", "i2", 12, None, 8.0)]
    out, graph = build(shop=shop, source=LATER)
    assert json.loads((out / "leakage.json").read_text())["cut"] == "2026-01-11T00:00:00+00:00"
    assert graph.interactions["shop"].split.tolist() == [TRAIN, TRAIN, TEST, TRAIN]
    # u3's first visit to i1 lies between the cafe's cut and the shop's own: it is gone.
    assert graph.interacts["shop"].indices.tolist() == [0, 1, 1]
    assert graph.interacts["shop"].values.tolist() == [3.0, 1.0, 1.0]
    flows = json.loads((out / "ledger.json").read_text())["flows"]
    (placed,) = [f for f in flows if f["step"] == "pairs → split" and f["domain"] == "shop"]
    assert placed["lost"] == {"after_global_cut": 1}


def test_a_target_with_a_later_cut_of_its_own_keeps_its_pairs(build):
    _, graph = build(cafe=[*CAFE, ("u2", "i2", 14, None, 1.0)], target=LATER)
    assert graph.interacts["cafe"].indices.tolist() == [2, 0, 1]


def test_pairs_of_a_source_without_times_are_counted_not_hidden(build):
    undated = [(u, i, None, None, w) for u, i, _, _, w in SHOP]
    out, graph = build(shop=undated, source=HASH)
    assert graph.interacts["shop"].nnz == 3
    assert json.loads((out / "leakage.json").read_text())["domains"]["shop"]["undated"] == 3


def test_without_a_split_by_time_there_is_no_cut(build):
    out, graph = build(source=HASH, target={"kind": "seeded_hash", "seed": 0})
    record = json.loads((out / "leakage.json").read_text())
    assert record["cut"] is None
    assert {d["undated"] for d in record["domains"].values()} == {None}
    assert 7.0 in graph.interacts["shop"].values.tolist()


class TestTraining:
    def test_what_training_used_is_certified_against_the_stored_graph(self, build):
        out, graph = build()
        csr = graph.interacts["shop"]
        used = Used("shop", ("shop",), csr.row_of_entry(), csr.indices)
        record = training_certificate([used], out)
        assert holds(record)
        stored = json.loads((out / "leakage.json").read_text())
        assert record["used"]["shop"]["pairs_sha256"] == stored["domains"]["shop"]["edges_sha256"]
        assert record["held_out_sha256"] == stored["held_out_sha256"]

    def test_a_held_out_pair_among_them_is_named_with_its_split(self, build):
        out, _ = build()
        record = training_certificate([Used("shop", ("shop",), np.array([0, 1]), np.array([0, 0]))], out)
        assert (record["in_held_out"], record["not_edges"]) == (1, 1)
        assert not holds(record)
        assert record["sample"] == [
            {"used_by": "shop", "user": "u2", "item": "i1", "held_out_by": ["validation of cafe"]}
        ]

    def test_a_pair_of_another_domain_is_no_edge_of_this_one(self, build):
        out, graph = build()
        csr = graph.interacts["cafe"]
        assert holds(
            training_certificate([Used("all", ("shop", "cafe"), csr.row_of_entry(), csr.indices)], out)
        )
        record = training_certificate([Used("shop", ("shop",), csr.row_of_entry(), csr.indices)], out)
        assert (record["in_held_out"], record["not_edges"]) == (0, 1)

    def test_a_graph_without_certificate_says_what_to_do(self, build):
        out, _ = build()
        (out / "leakage/held_out.parquet").unlink()
        with pytest.raises(StoreError, match="materialise kg/graph again"):
            training_certificate([], out)
