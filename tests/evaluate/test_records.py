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
