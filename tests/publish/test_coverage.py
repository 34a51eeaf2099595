"""A set is published only if everybody active has a vector, enough are learnt, and norms make sense."""

import json

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hier_dag.errors import StoreError
from hier_dag.publish.coverage import check_coverage
from hier_dag.publish.coverage_params import CoverageParams

ORIGINS = np.array(["trained", "kg_inferred", "fallback"], dtype=object)


def side(key, ids, origins=None, norms=None):
    origins = ["trained"] * len(ids) if origins is None else origins
    norms = [1.0] * len(ids) if norms is None else norms
    return pa.table(
        {
            key: pa.array(ids, pa.string()),
            "origin": pa.array(origins, pa.string()).dictionary_encode(),
            "norm": pa.array(norms, pa.float32()),
        }
    )


USERS = side(
    "user_id", ["ann", "bob", "cy", "dee"], ["trained", "trained", "fallback", "fallback"], [1, 2, 3, 4]
)
ITEMS = side("item_id", ["tea", "bun"], ["trained", "kg_inferred"])
ACTIVE = (["ann", "bob", "cy", "dee"], ["bun", "tea"])


def check(users=USERS, items=ITEMS, active=ACTIVE, **params):
    active = (np.array(ids, dtype=object) for ids in active)
    return check_coverage("cafe", users, items, *active, CoverageParams(**params))


def words(coverage):
    return [str(failure) for failure in coverage.failures]


def test_a_set_that_covers_its_domain_passes_and_says_what_it_holds():
    found = check()
    assert found.failures == ()
    users = found.facts["users"]
    assert (users["rows"], users["active"], users["missing"]) == (4, 4, 0)
    assert users["origins"] == {"fallback": 2, "trained": 2}
    assert users["shares"] == {"fallback": 0.5, "trained": 0.5}
    assert (users["norm_min"], users["norm_max"], users["norms_outside"]) == (1, 4, 0)
    assert json.loads(json.dumps(found.facts, allow_nan=False)) == found.facts


def test_it_reads_the_files_of_a_set_alike(tmp_path):
    for name, table in (("users", USERS), ("items", ITEMS)):
        pq.write_table(table, tmp_path / f"{name}.parquet")
    assert check(tmp_path / "users.parquet", tmp_path / "items.parquet").facts == check().facts


def test_ids_beyond_its_memory_are_counted_on_disk_beside_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("hier_dag.publish.coverage._MEMORY", "64MB")
    ids = np.array([f"somebody whose id is rather long {n:07}" for n in range(400_000)], object)
    pq.write_table(side("user_id", ids[1:]), tmp_path / "users.parquet")
    seen, connect = [], duckdb.connect

    def watched(**given):
        con = connect(**given)
        asked = "SELECT current_setting('memory_limit'), current_setting('temp_directory')"
        seen.extend(con.sql(asked).fetchall())
        return con

    monkeypatch.setattr("duckdb.connect", watched)
    found = check(tmp_path / "users.parquet", active=(ids, ["bun", "tea"]))
    assert found.facts["users"]["active"] == 400_000
    assert found.facts["users"]["missing_ids"] == [ids[0]]
    assert seen[0] == ("61.0 MiB", str(tmp_path / ".spill"))
    assert [file.name for file in tmp_path.iterdir()] == ["users.parquet"]


def test_an_active_user_without_a_vector_is_named():
    found = check(active=(["ann", "zoe", "zoe", "Ann"], ["tea"]))
    assert found.facts["users"]["missing"] == 2
    assert found.facts["users"]["active"] == 3
    assert words(found) == [
        "domain cafe, users: active ids without a vector: 2, must be 0 (for example Ann, zoe). "
        "Fix: run the transfer stage of this domain again: its model is of an older graph"
    ]


def test_an_item_of_the_catalogue_without_a_vector_is_named():
    failure = check(active=([], ["tea", "pie"])).failures[0]
    assert (failure.side, failure.figure, failure.examples) == ("items", 1, ("pie",))
    assert json.loads(json.dumps(failure.as_dict()))["examples"] == ["pie"]


def test_too_few_trained_vectors_are_refused_by_side_and_origin():
    shares = {"users": {"trained": 0.75}, "items": {"kg_inferred": 0.5, "trained": 0.6}}
    said = words(check(min_share=shares))
    assert len(said) == 2
    assert "users: share of trained vectors: 0.5, must be at least 0.75" in said[0]
    assert "stages.publish.coverage.min_share.users.trained" in said[0]
    assert "items: share of trained vectors: 0.5, must be at least 0.6" in said[1]


def test_an_origin_that_no_vector_has_is_a_share_of_none():
    assert "share of kg_inferred vectors: 0, must be at least 0.1" in words(
        check(min_share={"users": {"kg_inferred": 0.1}})
    )[0]  # fmt: skip


def test_a_share_that_is_just_reached_is_enough():
    assert check(min_share={"users": {"trained": 0.5}}, max_fallback=0.5).failures == ()


def test_too_many_fallback_users_are_refused():
    said = words(check(max_fallback=0.4))
    assert len(said) == 1
    assert "users: share of fallback vectors: 0.5, must be at most 0.4" in said[0]
    assert "stages.publish.coverage.max_fallback" in said[0]


def test_norms_out_of_declared_bounds_are_counted_and_the_furthest_is_told():
    said = words(check(norms={"users": [1.5, 3.5], "items": [0.5, 2]}))
    assert len(said) == 1
    assert "users: norm of 2 vectors, the furthest: " in said[0]
    assert "must be between 1.5 and 3.5" in said[0]
    assert "the furthest: 4" in words(check(norms={"users": [0.9, 2]}))[0]


@pytest.mark.parametrize(
    ("norm", "shown"), [(0.0, "the furthest: 0,"), (np.nan, "the furthest: 1,"), (np.inf, "the furthest: 1,")]
)
@pytest.mark.parametrize("bounds", [None, [0.5, 2]])
def test_no_bound_lets_a_zero_vector_or_one_that_is_not_finite_pass(norm, shown, bounds):
    found = check(items=side("item_id", ["tea", "bun"], norms=[1.0, norm]), norms={"items": bounds})
    assert found.facts["items"]["norms_outside"] == 1
    assert shown in words(found)[0]
    json.dumps(found.facts, allow_nan=False)


def test_a_norm_that_is_missing_is_out_of_bounds():
    found = check(items=side("item_id", ["tea"], norms=[None]), active=([], []))
    assert found.facts["items"]["norms_outside"] == 1
    assert "the furthest: no number, must be finite and above 0" in words(found)[0]


@given(
    made=st.lists(
        st.tuples(st.text(max_size=3), st.integers(0, 2)), max_size=30, unique_by=lambda row: row[0]
    ),
    active=st.lists(st.text(max_size=3), max_size=30),
)
@settings(max_examples=30, deadline=None)
def test_counts_are_those_of_plain_sets(made, active):
    ids, origins = [row[0] for row in made], [ORIGINS[row[1]] for row in made]
    found = check(users=side("user_id", ids, origins), active=(active, [])).facts["users"]
    assert found["missing"] == len(set(active) - set(ids))
    assert found["missing_ids"] == sorted(set(active) - set(ids), key=str.encode)[:3]
    assert found["active"] == len(set(active))
    assert found["origins"] == {o: origins.count(o) for o in set(origins)}


def test_a_file_that_is_no_set_is_refused(tmp_path):
    (tmp_path / "users.parquet").write_text("hello")
    with pytest.raises(StoreError, match=r"users\.parquet.*cannot be counted"):
        check(users=tmp_path / "users.parquet")
    pq.write_table(USERS.drop(["norm"]), tmp_path / "users.parquet")
    with pytest.raises(StoreError, match=r"norm"):
        check(users=tmp_path / "users.parquet")


def test_an_odd_file_name_is_only_a_name(tmp_path):
    folder = tmp_path / "it's [odd]*"
    folder.mkdir()
    pq.write_table(USERS, folder / "users.parquet")
    assert check(users=folder / "users.parquet").failures == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"norms": {"users": [2, 1]}},
        {"norms": {"users": [0, 1]}},
        {"norms": {"users": [1, float("inf")]}},
        {"min_share": {"users": {"trained": 1.5}}},
        {"min_share": {"users": {"learnt": 0.5}}},
        {"min_share": {"user": {}}},
    ],
)
def test_bounds_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        CoverageParams(**wrong)
