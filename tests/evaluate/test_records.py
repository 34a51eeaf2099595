import numpy as np

from hier_dag.evaluate.metrics import declared_metrics
from hier_dag.evaluate.records import RECORD_SCHEMA, Scored, make_records
from hier_dag.model.encoding import FALLBACK, TRAINED

METRICS = declared_metrics((10,))


def records(scored, origin):
    return make_records("cafe", scored, METRICS, np.array(origin, np.int8), resamples=200, seed=0)


def test_every_slice_shows_its_own_users_and_the_gain_is_paired():
    rng = np.random.default_rng(0)
    base = rng.random((40, len(METRICS))).astype(np.float32)
    scored = [Scored("1", "hier", "closed_form", base + 0.25, 3), Scored("1", "popularity", "", base, 3)]
    table = records(scored, [TRAINED] * 30 + [FALLBACK] * 10)
    assert table.schema == RECORD_SCHEMA
    rows = {(r["model"], r["slice"], r["metric"]): r for r in table.to_pylist()}
    cold = rows["popularity", "cold", "ndcg"]
    assert (cold["users"], cold["seeds"], cold["setting"], cold["k"]) == (10, 3, "few_shot", 10)
    np.testing.assert_allclose(cold["value"], base[30:, 1].mean(), rtol=1e-6)
    assert all(r["low"] <= r["value"] <= r["high"] for r in rows.values())
    gain = rows["hier", "all", "ndcg_over_popularity"]
    np.testing.assert_allclose([gain["low"], gain["value"], gain["high"]], 0.25, atol=1e-5)


def test_a_slice_without_users_has_no_record():
    values = np.zeros((2, len(METRICS)), np.float32)
    table = records([Scored("0", "random", "", values, 1)], [FALLBACK, FALLBACK])
    assert set(table["slice"].to_pylist()) == {"all", "cold"}
    assert set(table["setting"].to_pylist()) == {"zero_shot"}


def test_nothing_scored_gives_an_empty_table_of_the_same_schema():
    table = records([], [])
    assert table.num_rows == 0
    assert table.schema == RECORD_SCHEMA


def test_gains_carry_a_p_value_also_over_zero_shot():
    rng = np.random.default_rng(0)
    base = rng.random((60, len(METRICS))).astype(np.float32)
    noise = rng.normal(0, 0.2, base.shape).astype(np.float32)
    scored = [
        Scored("0", "hier", "zero_shot", base - 0.5, 1),
        Scored("1", "hier", "full", base + 0.3, 1),
        Scored("1", "popularity", "", base, 1), Scored("1", "random", "", base + 0.3 + noise, 1),
    ]  # fmt: skip
    rows = {
        (r["variant"], r["metric"]): r
        for r in records(scored, [TRAINED] * 60).to_pylist()
        if r["slice"] == "all"
    }
    assert rows["full", "p_ndcg_over_popularity"]["value"] == 1 / 2000
    assert rows["full", "p_ndcg_over_random"]["value"] > 0.05
    p = rows["full", "p_ndcg_over_zero_shot"]
    assert p["low"] == p["value"] == p["high"]
    np.testing.assert_allclose(rows["full", "ndcg_over_zero_shot"]["value"], 0.8, rtol=1e-5)
    assert not any("ndcg_over" in metric for variant, metric in rows if variant != "full")


def test_cold_items_speak_of_the_users_that_have_one_and_lists_have_no_interval():
    values = np.random.default_rng(1).random((6, len(METRICS))).astype(np.float32)
    cold = values.copy()
    cold[[1, 4]] = np.nan
    exposures = np.zeros((2, 3, 1, 4), np.int64)
    exposures[:, 0, 0] = [[6, 0, 0, 0], [3, 3, 0, 0]]
    one = Scored("1", "hier", "full", values, 2, cold, values[:, :1], exposures)
    rows = {(r["slice"], r["metric"]): r for r in records([one], [TRAINED] * 6).to_pylist()}
    assert rows["cold_items", "ndcg"]["users"] == 4
    np.testing.assert_allclose(rows["cold_items", "ndcg"]["value"], np.nanmean(cold[:, 1]), rtol=1e-6)
    covered = rows["all", "coverage"]
    assert covered["low"] == covered["value"] == covered["high"] == (1 / 4 + 2 / 4) / 2
    np.testing.assert_allclose(rows["all", "gini"]["value"], (3 / 4 + 1 / 2) / 2)
    assert rows["all", "novelty"]["low"] < rows["all", "novelty"]["value"] < rows["all", "novelty"]["high"]
    assert {metric for name, metric in rows if name == "cold_items"} == {"hr", "ndcg", "recall", "mrr"}
