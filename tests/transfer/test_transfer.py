import dataclasses
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from hier_dag.errors import StoreError, TrainingError
from hier_dag.evaluate.records import RECORD_SCHEMA
from hier_dag.graph.knowledge_graph import TEST, VALIDATION, Interactions
from hier_dag.model.encoding import TRAINED
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.save import load_vectors, save_transfer
from hier_dag.transfer.transfer import transfer

PARAMS = TransferParams(
    shots=("1", "5%"), seeds=(0, 1), cutoffs=(5, 10), bootstrap=100, finetune_min_per_item=1.5
)


def keys(table):
    return {(r["shots"], r["model"], r["variant"]) for r in table.to_pylist()}


def test_a_report_shows_hier_next_to_every_baseline_that_exists(platform):
    result = transfer(*platform, "cafe", PARAMS)
    assert result.records.schema == RECORD_SCHEMA
    assert keys(result.records) >= {
        ("0", "hier", "zero_shot"), ("0", "random", ""), ("0", "entity_profile", ""),
        ("1", "hier", "fine_tuned"), ("1", "popularity", ""), ("1", "entity_profile", ""),
        ("1", "random", ""),
        ("5%", "hier", "closed_form"), ("5%", "popularity", ""),
        ("all", "hier", "fine_tuned"), ("all", "popularity", ""),
    }  # fmt: skip
    assert ("0", "popularity", "") not in keys(result.records)
    rows = result.records.to_pylist()
    assert {r["seeds"] for r in rows} == {2}
    slices = {(r["slice"], r["users"]) for r in rows if r["slice"] != "cold_items"}
    assert slices == {("all", 40), ("with_history", 35), ("cold", 5)}
    assert {r["shots"] for r in rows if r["slice"] == "cold_items"} <= {"1", "5%", "all"}
    assert {r["k"] for r in rows if r["metric"] == "ndcg"} == {5, 10}
    assert all(r["low"] <= r["value"] <= r["high"] for r in rows)


def test_published_vectors_cover_audience_and_catalogue(platform):
    graph, encoding = platform
    result = transfer(graph, encoding, "cafe", PARAMS)
    vectors = result.published
    assert (result.shots, vectors.method) == ("all", "fine_tuned")
    np.testing.assert_array_equal(vectors.users, graph.audience["cafe"])
    np.testing.assert_array_equal(vectors.items, graph.catalogue["cafe"])
    assert vectors.user_vectors.shape == (40, 13)
    assert vectors.item_vectors.dtype == vectors.user_vectors.dtype == np.float32
    assert (vectors.item_origin == TRAINED).sum() == len(set(graph.interacts["cafe"].indices.tolist()))


def test_test_and_validation_pairs_move_no_vector_and_validation_pairs_no_figure(platform):
    graph, encoding = platform
    pairs = graph.interactions["cafe"]

    def without(*splits):
        keep = ~np.isin(pairs.split, splits)
        left = Interactions(**{f.name: getattr(pairs, f.name)[keep] for f in dataclasses.fields(pairs)})
        changed = dataclasses.replace(graph, interactions={**graph.interactions, "cafe": left})
        return transfer(changed, encoding, "cafe", by_user)

    # A share is of all pairs, so that taking some away moves it: settings by user alone are compared.
    by_user = dataclasses.replace(PARAMS, shots=("1", "2"))
    whole = without()
    blind = without(TEST, VALIDATION)
    np.testing.assert_array_equal(blind.published.item_vectors, whole.published.item_vectors)
    assert blind.records.num_rows == 0
    assert without(VALIDATION).records.equals(whole.records)


def test_a_target_without_any_interaction_gets_zero_shot_vectors_and_no_figure(platform):
    result = transfer(*platform, "desert", PARAMS)
    assert result.records.num_rows == 0
    assert (result.published.method, result.shots, result.head, result.scalars) == (
        "zero_shot",
        "0",
        None,
        {},
    )
    assert np.isfinite(result.published.item_vectors).all()
    assert result.published.item_vectors.any(axis=1).all()
    assert len(result.published.users) == 40


@pytest.mark.parametrize(("users", "items", "per_user"), [(1, 1, 1), (1, 5, 4), (3, 1, 1), (2, 2, 2)])
def test_tiny_domains_work(make_platform, users, items, per_user):
    graph, encoding = make_platform(n_users=users, n_target_items=items, n_cold=0, per_user=per_user)
    for least in (0.0, 100.0):
        result = transfer(graph, encoding, "cafe", dataclasses.replace(PARAMS, finetune_min_per_item=least))
        assert np.isfinite(result.published.item_vectors).all()
        assert all(np.isfinite(r["value"]) for r in result.records.to_pylist())


def test_an_audience_without_any_source_history_works(make_platform):
    graph, encoding = make_platform()
    encoding.user_origin[:] = 2
    slices = set(transfer(graph, encoding, "cafe", PARAMS).records["slice"].to_pylist())
    assert slices - {"cold_items"} == {"all", "cold"}


def test_the_same_inputs_write_the_same_bytes_and_vectors_come_back(platform, tmp_path):
    results = [transfer(*platform, "cafe", PARAMS) for _ in range(2)]
    for name, result in zip("ab", results, strict=True):
        save_transfer(result, tmp_path / name)
    for file in sorted(p.name for p in (tmp_path / "a").iterdir()):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file
    loaded, saved = load_vectors(tmp_path / "a"), results[0].published
    for field in dataclasses.fields(saved):
        np.testing.assert_array_equal(getattr(loaded, field.name), getattr(saved, field.name))
    assert pq.read_table(tmp_path / "a" / "report.parquet").equals(results[0].records)
    head = load_file(tmp_path / "a" / "head.safetensors")
    assert head["delta"].shape == (20, 6)
    assert float(head["alpha"][0]) == results[0].scalars["alpha"]
    assert json.loads((tmp_path / "a" / "method.json").read_text())["method"] == "fine_tuned"


def test_zero_shot_is_saved_and_loaded_too(platform, tmp_path):
    save_transfer(transfer(*platform, "desert", PARAMS), tmp_path)
    assert load_vectors(tmp_path).method == "zero_shot"


def test_missing_or_torn_vectors_are_named(platform, tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        load_vectors(tmp_path)
    save_transfer(transfer(*platform, "desert", PARAMS), tmp_path)
    torn = tmp_path / "vectors.safetensors"
    torn.write_bytes(torn.read_bytes()[:100])
    with pytest.raises(StoreError, match="run the transfer stage"):
        load_vectors(tmp_path)


def test_a_broken_encoding_is_refused_with_its_domain(platform):
    graph, encoding = platform
    encoding.users[0, 0] = np.nan
    with pytest.raises(TrainingError, match="domain cafe"):
        transfer(graph, encoding, "cafe", PARAMS)


def test_progress_names_every_setting_and_ends_complete(platform):
    told = []
    transfer(*platform, "cafe", PARAMS, progress=lambda what, done, total: told.append((what, done, total)))
    assert [what for what, _, _ in told] == [
        "zero-shot",
        "few-shot 1",
        "few-shot 5%",
        "few-shot all",
        "intervals",
    ]
    assert told[-1][1] == told[-1][2]
