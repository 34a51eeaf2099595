import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from hier_dag.errors import StoreError
from hier_dag.train.encoder_files import load_model, save_encoder
from hier_dag.train.encoding_arrays import arrays_of
from hier_dag.train.encoding_files import load_encoding


@pytest.fixture(scope="module")
def folder(pretrained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder") / "new"
    save_encoder(pretrained, folder)
    return folder


def test_the_encoding_comes_back_bit_for_bit(pretrained, folder):
    got, want = arrays_of(load_encoding(folder)), arrays_of(pretrained.encoding)
    assert got.keys() == want.keys()
    assert "interactions.paths" in want
    assert all(got[name].tobytes() == want[name].tobytes() for name in want)
    assert all(got[name].dtype == want[name].dtype for name in want)


def test_the_model_comes_back_and_encodes_alike(case, pretrained, folder):
    model = load_model(folder, case.graph)
    assert not model.training
    np.testing.assert_array_equal(model.encode().users, pretrained.encoding.users)


def test_the_configuration_holds_parameters_and_sizes(case, pretrained, folder):
    config = json.loads((folder / "config.json").read_text())
    assert config["params"]["dim"] == case.params.dim
    assert config["sizes"]["items"] == case.graph.n_items
    assert config["best_epoch"] == pretrained.best_epoch
    assert config["validation"]["ndcg@10"] == pretrained.curve[pretrained.best_epoch - 1].ndcg


def test_the_curve_has_one_row_an_epoch_with_every_term(pretrained, folder):
    table = pq.read_table(folder / "curve.parquet")
    assert table.column("epoch").to_pylist() == [record.epoch for record in pretrained.curve]
    wanted = {
        "loss",
        "rank",
        "auxiliary",
        "mi",
        "exemplar",
        "path",
        "l2",
        "ndcg",
        "hr",
        "open_paths",
    }
    assert wanted <= set(table.column_names)
    assert sum(table.column("kept").to_pylist()) == 1


def test_all_paths_are_listed_with_gate_and_weight(case, pretrained, folder):
    table = pq.read_table(folder / "decision_path.parquet").to_pandas()
    assert len(table) == case.params.intents * case.params.exemplars
    row = table[(table.intent == 3) & (table.exemplar == 1)].iloc[0]
    assert row.gate == pretrained.gates[3, 1]
    assert row.weight == pretrained.path_weights[3, 1]
    assert (table.weight[table.gate == 0] == 0).all()


def test_exemplars_are_described_by_their_nearest_entities(case, pretrained, folder):
    table = pq.read_table(folder / "exemplars.parquet").to_pandas()
    names = dict(zip(case.graph.entity_ids, case.graph.entity_names, strict=True))
    assert table.groupby("exemplar").size().eq(10).all()
    assert (table.entity_id.map(names) == table.entity_name).all()
    ordered = table.sort_values(["exemplar", "rank"]).groupby("exemplar").similarity
    assert ordered.apply(lambda s: s.is_monotonic_decreasing).all()
    best = table[(table.exemplar == 2) & (table["rank"] == 1)].iloc[0]
    m = pretrained.model.paths.exemplars.detach().numpy()[2]
    cosines = pretrained.entities @ m / np.linalg.norm(pretrained.entities, axis=1) / np.linalg.norm(m)
    assert best.similarity == pytest.approx(cosines.max(), abs=1e-5)
    assert best.entity_id == case.graph.entity_ids[cosines.argmax()]


def test_intents_say_how_strong_they_are_in_each_source(case, folder):
    table = pq.read_table(folder / "intents.parquet").to_pandas()
    assert set(table.domain) == set(case.graph.sources)
    np.testing.assert_allclose(table.groupby("domain").strength.sum(), 1, atol=1e-4)


def test_equal_encoders_give_equal_files(pretrained, folder, tmp_path):
    save_encoder(pretrained, tmp_path)
    for file in sorted(tmp_path.iterdir()):
        assert file.read_bytes() == (folder / file.name).read_bytes(), file.name


def test_a_missing_torn_or_foreign_encoder_is_named(case, other_targets, folder, tmp_path):
    with pytest.raises(StoreError, match=r"encoding\.safetensors"):
        load_encoding(tmp_path)
    (tmp_path / "encoding.safetensors").write_bytes((folder / "encoding.safetensors").read_bytes()[:50])
    with pytest.raises(StoreError, match="cannot be read"):
        load_encoding(tmp_path)
    with pytest.raises(StoreError, match=r"config\.json"):
        load_model(tmp_path, case.graph)
