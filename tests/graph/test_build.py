"""The graph of a platform that can be checked by hand, and the contract that protects it."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.conservation import flows_of
from hier_dag.graph.build import build_graph
from hier_dag.graph.csr import from_coo
from hier_dag.graph.files import load_graph
from hier_dag.graph.hetero import agrees, to_dgl
from hier_dag.graph.knowledge_graph import TRAIN
from hier_dag.ingest.connection import connect
from schemas.graph_contract.conservation import conservation
from schemas.graph_contract.integrity import integrity
from schemas.graph_contract.view import GraphView

TIME = {"kind": "global_time", "validation_from": "2026-01-11", "test_from": "2026-01-16"}
SHOP = [
    ("u1", "i1", 0, None, 1.0),
    ("u1", "i1", 2, None, 2.0),
    ("u2", "i2", 1, None, 1.0),
    ("u2", "i3", 20, None, 1.0),
]
CAFE = [("u1", "i3", 3, None, 1.0), ("u3", "i4", 18, None, 1.0), ("u2", "i1", 12, None, 1.0)]


def flow_of(out, step, what):
    """The ledger's line of a step, by domain or source."""
    flows = flows_of(json.loads((out / "ledger.json").read_text()))
    (found,) = [f for f in flows if f.step == step and what in (f.domain, f.source)]
    return found


@pytest.fixture
def built(con, platform, write, links, tmp_path):
    out = tmp_path / "graph"
    out.mkdir()
    config = platform(source=TIME, target=TIME)
    events = {"shop": write("shop", SHOP), "cafe": write("cafe", CAFE)}
    return out, build_graph(con, config, events, links, out)


def test_nodes_are_numbered_in_the_order_of_their_ids(built):
    _, graph = built
    assert graph.user_ids.tolist() == ["u1", "u2", "u3"]
    assert graph.item_ids.tolist() == ["i1", "i2", "i3", "i4"]
    assert graph.entity_ids.tolist() == ["cake", "food", "tea"]
    assert graph.entity_names.tolist() == ["cake", "food", "Tea & infusions"]


def test_edges_are_training_interactions_with_their_weights_added_up(built):
    _, graph = built
    shop = graph.interacts["shop"]
    assert shop.row_of_entry().tolist() == [0, 1]
    assert shop.indices.tolist() == [0, 1]
    assert shop.values.tolist() == [3.0, 1.0]
    assert graph.interacts["cafe"].indices.tolist() == [2]


def test_links_triples_and_friends_become_edges_in_both_directions(built):
    _, graph = built
    assert graph.has_entity.indptr.tolist() == [0, 1, 2, 3, 3]
    assert graph.has_entity.indices.tolist() == [2, 2, 0]
    assert graph.entity_entity.row_of_entry().tolist() == [0, 1]
    assert graph.entity_entity.indices.tolist() == [1, 0]
    assert graph.entity_relations == ("below",)
    assert graph.social.indices.tolist() == [1, 0]  # the stranger has no events and no node


def test_an_edge_stated_twice_is_one_edge_and_a_loop_is_none(con, platform, write, links, tmp_path):
    strings = {k: pa.string() for k in ("head", "relation", "tail")}
    stated = [
        ("cake", "below", "food"),
        ("food", "below", "cake"),
        ("tea", "near", "tea"),
        ("cake", "near", "food"),
    ]
    rows = [dict(zip(strings, row, strict=True)) for row in stated]
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(strings)), links / "entity_entity.parquet")
    pairs = [("u1", "u2", "knows"), ("u1", "u2", "follows"), ("u2", "u2", "knows"), ("u1", "gone", "knows")]
    friends = {
        k: pa.array(v, pa.string())
        for k, v in zip(("user_id", "other_id", "relation"), zip(*pairs, strict=True), strict=True)
    }
    pq.write_table(pa.table(friends), links / "user_user.parquet")
    (out := tmp_path / "graph").mkdir()
    events = {"shop": write("shop", SHOP), "cafe": write("cafe", CAFE)}
    graph = build_graph(con, platform(source=TIME, target=TIME), events, links, out)
    triples = graph.entity_entity
    assert triples.row_of_entry().tolist() == [0, 0, 1, 1]
    assert triples.indices.tolist() == [1, 1, 0, 0]
    assert [graph.entity_relations[k] for k in triples.kinds] == ["below", "near", "below", "near"]
    assert graph.social.indices.tolist() == [1, 0]
    triples, friends = (flow_of(out, "links → edges", source) for source in ("entity_entity", "user_user"))
    assert (triples.entered, triples.left) == (4, {"edges": 2})
    assert triples.lost == {"self_edge": 1, "same_edge_again": 1}
    assert (friends.entered, friends.left) == (4, {"edges": 1})
    assert friends.lost == {"user_without_events": 1, "self_edge": 1, "same_edge_again": 1}


def test_a_catalogue_holds_declared_items_and_those_acted_on(built):
    _, graph = built
    assert graph.catalogue["cafe"].tolist() == [0, 2, 3]
    assert graph.audience["cafe"].tolist() == [0, 1, 2]


def test_the_ledger_follows_every_event_to_an_edge(built):
    out, _ = built
    events = flow_of(out, "events → pairs", "shop")
    assert (events.entered, events.left, events.lost) == (4, {"pairs": 3}, {"repeated_pair": 1})
    placed = flow_of(out, "pairs → split", "cafe")
    assert (placed.entered, placed.left) == (3, {"training": 1, "validation": 1, "test": 1})
    assert flow_of(out, "training pairs → edges", "shop").left == {"edges": 2}
    friends = flow_of(out, "links → edges", "user_user")
    assert (friends.entered, friends.left) == (2, {"edges": 1})
    assert friends.lost == {"user_without_events": 1}
    assert flow_of(out, "edges → arrays", "user_user").left == {"stored": 2}
    assert flow_of(out, "names → nodes", "item_names").left == {"named": 1}


def test_names_of_nobody_and_second_names_are_counted(con, platform, write, links, tmp_path):
    names = {"entity_id": ["tea", "tea", "coffee"], "name": ["Tea", "Tee", "Coffee"]}
    pq.write_table(pa.table(names), links / "entity_names.parquet")
    (out := tmp_path / "graph").mkdir()
    build_graph(con, platform(), {"shop": write("shop", SHOP), "cafe": write("cafe", CAFE)}, links, out)
    flow = flow_of(out, "names → nodes", "entity_names")
    assert (flow.entered, flow.left, flow.lost) == (3, {"named": 1}, {"unknown_node": 1, "another_name": 1})


def test_a_pair_that_another_domain_holds_out_is_no_edge(con, platform, write, links, tmp_path):
    out = tmp_path / "graph"
    out.mkdir()
    config = platform(source=TIME, target=TIME)
    events = {"shop": write("shop", SHOP), "cafe": write("cafe", [*CAFE, ("u1", "i1", 18, None, 1.0)])}
    graph = build_graph(con, config, events, links, out)
    assert graph.interacts["shop"].indices.tolist() == [1]
    placed = flow_of(out, "pairs → split", "shop")
    assert (placed.entered, placed.left) == (3, {"training": 1, "validation": 0, "test": 1})
    assert placed.lost == {"held_out_in_another_domain": 1}


def test_shots_count_up_from_one_although_shared_items_are_held_out_elsewhere(
    con, platform, write, links, tmp_path
):
    out = tmp_path / "graph"
    out.mkdir()
    config = platform(
        source={"kind": "seeded_hash", "test": 0.5, "seed": 0}, target={"kind": "seeded_hash", "seed": 1}
    )
    rows = [(f"u{u}", f"i{i}", None, None, 1.0) for u in range(30) for i in range(12)]
    graph = build_graph(con, config, {"shop": write("shop", rows), "cafe": write("cafe", rows)}, links, out)
    for pairs in graph.interactions.values():
        train = pairs.split == TRAIN
        assert 0 < train.sum() < 30 * 12
        for user in np.unique(pairs.user[train]):
            ranks = np.sort(pairs.shot_rank[train & (pairs.user == user)])
            assert ranks.tolist() == list(range(1, len(ranks) + 1))
        assert (pairs.shot_rank[~train] == 0).all()


def test_the_contract_passes_a_sound_graph_and_counts_planted_defects(built, con):
    out, graph = built
    view = GraphView(con, out, graph)
    assert integrity(view) + conservation(view) == []
    bad = from_coo(np.array([0, 1]), np.array([1, 99]), graph.n_users, graph.n_items)
    broken = type(graph)(**{**vars(graph), "interacts": {**graph.interacts, "shop": bad}})
    assert [
        (f.table, f.column, f.rule, f.count, f.sample) for f in integrity(GraphView(con, out, broken))
    ] == [("interacts:shop", "to", "dangling_edge", 1, ("u2 → item number 99",))]
    users = pq.read_table(out / "nodes/users.parquet")
    pq.write_table(users.take([0, 1, 1]), out / "nodes/users.parquet")
    found = {(f.table, f.column, f.rule): f.count for f in integrity(GraphView(con, out, graph))}
    assert found[("nodes/users.parquet", "user_id", "duplicate")] == 1


def test_the_graph_reads_back_as_it_was(built):
    out, graph = built
    again = load_graph(out, graph.sources, graph.targets)
    assert again.has_entity.indices.tolist() == graph.has_entity.indices.tolist()
    assert again.interactions["shop"].split.tolist() == graph.interactions["shop"].split.tolist()
    assert (graph.interactions["shop"].split == TRAIN).sum() == 2


def test_the_same_input_gives_the_same_bytes(platform, write, links, tmp_path):
    config = platform(source=TIME, target=TIME)
    events = {"shop": write("shop", SHOP), "cafe": write("cafe", CAFE)}
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        with connect(tmp_path / "scratch", threads=2) as con:
            build_graph(con, config, events, links, folder)
    files = sorted(p.relative_to(folders[0]) for p in folders[0].rglob("*") if p.is_file())
    for file in files:
        assert (folders[0] / file).read_bytes() == (folders[1] / file).read_bytes(), file


def test_a_domain_without_events_has_items_but_no_interaction(con, write, links, tmp_path, platform):
    out = tmp_path / "graph"
    out.mkdir()
    config = platform(source=TIME, target=TIME)
    graph = build_graph(con, config, {"shop": write("shop", SHOP), "cafe": []}, links, out)
    assert graph.catalogue["cafe"].tolist() == [3]
    assert graph.interacts["cafe"].nnz == 0
    assert graph.audience["cafe"].tolist() == []


def test_the_dgl_graph_shares_the_arrays(built):
    _, graph = built
    hetero = to_dgl(graph)
    indptr, indices, _ = hetero.adj_tensors("csr", etype="has_entity")
    assert indptr.data_ptr() == graph.has_entity.indptr.ctypes.data
    assert indices.data_ptr() == graph.has_entity.indices.ctypes.data
    assert hetero.num_nodes("user") == 3
    assert hetero.num_edges("interacts:shop") == 2
    assert agrees(graph) == {"nodes": 10, "edges": 10, "relations": 5, "shared_without_copy": 5}
