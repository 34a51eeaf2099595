"""Tables of the decision paths over interactions say what the encoding says, in ids and names."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from hier_dag.train.encoder_files import save_encoder
from hier_dag.train.interaction_tables import EXEMPLARS, INTENTS, PATHS
from hier_dag.train.pretrain import pretrain
from hier_dag.train.rehearsal import TABLE as REHEARSAL


@pytest.fixture(scope="module")
def folder(pretrained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    save_encoder(pretrained, folder)
    return folder


@pytest.fixture(scope="module")
def over(pretrained):
    return pretrained.encoding.interactions


def test_open_paths_are_there_and_no_closed_one(folder, over):
    table = pq.read_table(folder / PATHS).to_pydict()
    dense = np.zeros_like(over.paths)
    dense[table["intent"], table["exemplar"]] = table["weight"]
    assert (dense == over.paths).all()
    assert min(table["weight"]) > 0


def test_exemplars_show_entities_and_items_by_their_own_ids(folder, over, case):
    graph, rows = case.graph, pq.read_table(folder / EXEMPLARS).to_pylist()
    assert {r["exemplar"] for r in rows} == set(range(len(over.exemplars)))
    names = dict(zip(graph.entity_ids, graph.entity_names, strict=True))
    members = over.memberships().argmax(axis=1)
    number = {id_: n for n, id_ in enumerate(graph.item_ids)}
    source = sum(np.bincount(graph.interacts[d].indices, minlength=graph.n_items) for d in graph.sources)
    for r in rows:
        assert r["name"]
        assert r["entity_id"] is None or names[r["entity_id"]] == r["entity_name"]
        if r["item_id"] is not None:
            assert members[number[r["item_id"]]] == r["exemplar"]
            assert r["visits"] == source[number[r["item_id"]]] > 0
    ranks = [r["rank"] for r in rows if r["exemplar"] == 0]
    assert ranks == list(range(1, len(ranks) + 1))


def test_intents_are_as_strong_as_the_users_of_each_source_say(folder, over, case):
    rows = pq.read_table(folder / INTENTS).to_pylist()
    assert len(rows) == len(over.paths) * 2
    for r in rows:
        own = over.intents[case.graph.interacts[r["domain"]].degrees() > 0]
        assert r["strength"] == pytest.approx(own.mean(axis=0)[r["intent"]], abs=1e-6)
        assert r["name"]
        assert r["family_name"]


def test_a_formulation_without_interactions_has_no_such_table(case, tmp_path):
    content = pretrain(case.graph, case.with_params(model="recommended", epochs=1))
    save_encoder(content, tmp_path)
    assert not list(tmp_path.glob("interaction_*"))
    assert (tmp_path / "decision_path.parquet").is_file()


def test_a_control_has_nothing_to_name(case):
    control = pretrain(case.graph, case.with_params(interaction_paths="user_clusters", epochs=1))
    assert control.encoding.interactions is not None
    assert list(control.interaction_tables) == [REHEARSAL]
