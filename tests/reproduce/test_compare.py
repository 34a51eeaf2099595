"""The first value in which two files differ."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from hier_dag.reproduce.classes import CONDITIONS, EXACT, PROMISES, TOLERANCE, promise_of
from hier_dag.reproduce.compare import first_difference
from hier_dag.reproduce.dependent import DEPENDENT, free_in
from hier_dag.reproduce.figures import Figures, figures_of
from hier_dag.reproduce.recipes import within

VALUES = st.lists(st.one_of(st.none(), st.floats(width=32)), min_size=1, max_size=20)


def told(tmp_path, name, write, one, two):
    for part, value in (("one", one), ("two", two)):
        (tmp_path / part).mkdir(exist_ok=True)
        write(value, tmp_path / part / name)
    return first_difference(tmp_path / "one" / name, tmp_path / "two" / name, name)


@given(one=VALUES, data=st.data())
def test_the_first_row_that_differs_is_found_in_tables(tmp_path_factory, one, data):
    two = data.draw(st.lists(st.one_of(st.none(), st.floats(width=32)), min_size=len(one), max_size=len(one)))
    same = [repr(a) == repr(b) or a == b for a, b in zip(one, two, strict=True)]
    tables = [pa.table({"x": pa.array(values, pa.float32())}) for values in (one, two)]
    found = told(tmp_path_factory.mktemp("t"), "t.parquet", pq.write_table, *tables)
    assert (found and found.row) == (None if all(same) else same.index(False) + 1)


@given(at=st.integers(0, 29))
def test_the_first_vector_that_differs_is_found(tmp_path_factory, at):
    vectors = np.arange(60, dtype=np.float32).reshape(30, 2)
    other = vectors.copy()
    other[at:, 1] += 1
    kind = pa.list_(pa.float32(), 2)
    tables = [
        pa.table({"v": pa.FixedSizeListArray.from_arrays(v.ravel(), type=kind)}) for v in (vectors, other)
    ]
    found = told(tmp_path_factory.mktemp("t"), "t.parquet", pq.write_table, *tables)
    assert (found.column, found.row) == ("v", at + 1)


def test_arrays_and_json_name_the_place(tmp_path):
    one = {"a": np.zeros(3, np.float32), "b": np.zeros((2, 2), np.float32)}
    two = {"a": np.zeros(3, np.float32), "b": np.array([[0, 0], [2, 0]], np.float32)}
    found = told(tmp_path, "x.safetensors", save_file, one, two)
    assert (found.column, found.row, found.recorded, found.now) == ("b", 2, "0.0", "2.0")

    def write(value, path):
        path.write_text(json.dumps(value))

    found = told(tmp_path, "x.json", write, {"a": [{"b": 1}]}, {"a": [{"b": 2}]})
    assert (found.column, found.recorded, found.now) == ("a[0].b", "1", "2")
    assert told(tmp_path, "x.json", write, {"a": 1, "b": 2}, {"b": 2, "a": 1}) is None


def test_figures_say_how_far_vectors_are_apart(tmp_path):
    rng = np.random.default_rng(0)
    users, items = (rng.standard_normal((n, 4)).astype(np.float32) for n in (20, 40))
    for name, shift in (("one", 0.0), ("two", 0.01)):
        (tmp_path / name).mkdir()
        moved = (items + np.float32(shift)).astype(np.float32)
        ids = {"users": np.arange(20), "items": np.arange(40)}
        arrays = {**ids, "user_vectors": users, "item_vectors": moved}
        save_file(arrays, tmp_path / name / "vectors.safetensors")
    found = figures_of("finetune/model", tmp_path / "one", tmp_path / "two")
    assert abs(found.max_abs - 0.01) < 1e-6
    assert abs(found.max_rel - 0.01 / np.abs(items).max()) < 1e-6
    assert found.overlap == 1.0  # one shift for all items keeps their order


def test_the_weakest_promise_counts_and_bounds_are_bounds():
    assert promise_of("pretrain/encoder", []).level == EXACT
    assert promise_of("pretrain/encoder", ["threads"]).level == TOLERANCE
    assert promise_of("pretrain/encoder", ["threads", "device"]).max_rel == (
        PROMISES["pretrain/encoder"]["device"].max_rel
    )
    assert all(set(row) == set(CONDITIONS) for row in PROMISES.values())
    near = promise_of("pretrain/encoder", ["threads"])
    assert near.holds(Figures(1.0, near.max_rel, near.min_overlap))
    assert not near.holds(Figures(1.0, 2 * near.max_rel, 1.0))
    assert not near.holds(Figures(1.0, 0.0, near.min_overlap - 0.01))
    assert not near.holds(None)


NOW = datetime(2026, 1, 2, tzinfo=UTC)


@given(since=st.none() | st.integers(-5, 5), length=st.none() | st.integers(1, 5))
def test_a_build_is_done_as_of_a_time_at_which_its_rows_come_out_as_recorded(since, length):
    start = None if since is None else NOW + timedelta(days=since)
    end = None if length is None else (start or NOW + timedelta(days=-2)) + timedelta(days=length)
    moment = within(start and start.isoformat(), end and end.isoformat(), NOW)
    assert start is None or moment >= start
    assert end is None or moment < end
    if (start is None or start <= NOW) and (end is None or end > NOW):
        assert moment == NOW


def test_vectors_are_compared_id_by_id_and_one_that_is_no_number_is_within_no_bound(tmp_path):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((30, 4)).astype(np.float32)

    def written(name, ids, items=vectors):
        (tmp_path / name).mkdir()
        users = {"users": np.arange(30), "user_vectors": vectors}
        arrays = {**users, "items": np.array(ids), "item_vectors": items}
        save_file(arrays, tmp_path / name / "vectors.safetensors")
        return tmp_path / name

    ids = list(range(30))
    one = written("one", ids)
    same = figures_of("finetune/model", one, written("other order", ids[::-1], vectors[::-1].copy()))
    assert (same.max_abs, same.overlap) == (0.0, 1.0)
    assert figures_of("finetune/model", one, written("swapped", ids[::-1])).max_rel > 0.5
    assert figures_of("finetune/model", one, written("others", [*ids[1:], 99])) is None
    broken = vectors.copy()
    broken[3, 1] = np.nan
    near = promise_of("finetune/model", ["threads"])
    assert not near.holds(figures_of("finetune/model", one, written("broken", ids, broken)))


@given(
    kind=st.sampled_from(sorted(DEPENDENT)),
    file=st.sampled_from(["seen.parquet", "ledger.json", "leakage.json", "users.parquet", "set.json"]),
    name=st.sampled_from(["user_id", "item_id", "origin", "space", "users", "dim", "encoder", "name"]),
)
def test_ids_counts_and_what_was_used_may_differ_under_no_bound(kind, file, name):
    assert not free_in(kind, file)(name)


def test_a_table_of_dependent_values_keeps_its_rows_columns_and_types(tmp_path):
    def difference(two, free):
        kinds = [pa.table({"id": ["a", "b"], "value": [1.0, 2.0]}), pa.table(two)]
        (tmp_path / "one").mkdir(exist_ok=True)
        for folder, table in zip(("one", "two"), kinds, strict=True):
            (tmp_path / folder).mkdir(exist_ok=True)
            pq.write_table(table, tmp_path / folder / "t.parquet")
        paths = [tmp_path / folder / "t.parquet" for folder in ("one", "two")]
        return first_difference(*paths, "t.parquet", free)

    def value(name):
        return name == "value"

    assert difference({"id": ["a", "b"], "value": [3.0, 4.0]}, value) is None
    assert difference({"id": ["b", "a"], "value": [1.0, 2.0]}, value).column == "id"
    assert difference({"id": ["a"], "value": [1.0]}, value).now == "1 rows"
    assert difference({"id": ["a"], "value": [1]}, lambda name: True).column == "value"


def test_weights_of_an_encoder_are_bounded_like_its_vectors(tmp_path):
    weights = np.arange(8, dtype=np.float32).reshape(2, 4)
    for name, swapped in (("one", weights), ("two", weights[::-1].copy())):
        (tmp_path / name).mkdir()
        save_file({"users": weights, "items": weights}, tmp_path / name / "encoding.safetensors")
        save_file({"user_head.0.weight": swapped}, tmp_path / name / "model.safetensors")
    found = figures_of("pretrain/encoder", tmp_path / "one", tmp_path / "two")
    assert (found.max_abs, found.overlap) == (4.0, 1.0)
    assert not promise_of("pretrain/encoder", ["environment"]).holds(found)
