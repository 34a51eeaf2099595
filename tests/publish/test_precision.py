"""Smaller vectors: how far they may be off, what a file of them holds, and how well they rank."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hier_dag.publish.params import IndexParams
from hier_dag.publish.precision import ReducedRows, as_float16, as_int8, restored
from hier_dag.publish.rows import OrderedRows
from tests.publish.written import texts, vectors, write

ROWS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2),
    elements=st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False),
)
BOTH = IndexParams(precisions=("float16", "int8"))


@given(rows=ROWS)
def test_int8_is_off_by_half_a_step_at_most_and_keeps_signs(rows):
    small, scale = as_int8(rows)
    assert small.dtype == np.int8
    assert np.abs(small.astype(int)).max() <= 127
    off = np.abs(small.astype(np.float64) * scale[:, None] - rows)
    assert (off <= scale[:, None] * (0.5 + 1e-4)).all()
    assert (np.sign(small) * np.sign(rows) >= 0).all()


def test_int8_of_one_value_is_exact_and_of_zeros_is_zeros():
    rows = np.array([[3.5] * 4, [-3.5] * 4, [0] * 4], np.float32)
    small, scale = as_int8(rows)
    assert small.tolist() == [[127] * 4, [-127] * 4, [0] * 4]
    assert scale[2] == 0
    assert np.allclose(restored(rows, "int8"), rows, rtol=1e-7)


def test_int8_of_the_smallest_numbers_is_no_division_by_zero():
    rows = np.array([[1e-45, -1e-45], [1e-38, 1e-40]], np.float32)
    with np.errstate(all="raise", under="ignore"):
        small, _ = as_int8(rows)
    assert (np.abs(small.astype(int)) <= 127).all()


def test_float16_beyond_its_largest_becomes_that():
    assert as_float16(np.array([[1e6, -1e6, 1.5]], np.float32)).tolist() == [[65504, -65504, 1.5]]


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_reduced_rows_are_what_a_reader_of_the_file_computes_with(precision):
    made = vectors(20, 9, dim=6)
    ids = texts(f"u{i}" for i in range(20)[::-1])
    with tempfile.TemporaryDirectory() as out:
        write(Path(out), made, ids, params=BOTH)
        users = pq.read_table(Path(out) / f"users.{precision}.parquet")
        names = ["user_id", "vector", *(["scale"] if precision == "int8" else [])]
        assert users.schema.names == names
        assert pq.read_table(Path(out) / f"items.{precision}.parquet").schema.names[0] == "item_id"
        value = {"float16": pa.float16(), "int8": pa.int8()}[precision]
        assert users.schema.field("vector").type == pa.list_(pa.field("element", value, nullable=False), 6)
        assert users["user_id"].to_pylist() == sorted(ids)
        flat = users["vector"].combine_chunks().flatten().to_numpy()
    read = flat.reshape(20, 6).astype(np.float32)
    if precision == "int8":
        read *= users["scale"].to_numpy()[:, None]
    order = np.argsort(ids)
    reduced = ReducedRows(OrderedRows(made.user_vectors, order), precision)
    assert np.array_equal(read, reduced.block(0, 20))
    assert np.array_equal(read[[3, 1]], reduced.take(np.array([3, 1])))


def test_a_value_takes_two_bytes_and_one(tmp_path):
    write(tmp_path, vectors(20_000, 1, dim=64), params=BOTH)
    for precision, room in (("float16", 2), ("int8", 1)):
        group = pq.read_metadata(tmp_path / f"users.{precision}.parquet").row_group(0)
        taken = group.column(1).total_compressed_size / group.num_rows / 64
        assert room <= taken < room + 0.1


def test_recall_of_smaller_vectors_is_that_of_ranking_by_them_alone(tmp_path):
    made = vectors(200, 2_000, dim=16)
    facts, _ = write(tmp_path, made, params=BOTH.model_copy(update={"queries": 200}))
    true = np.argsort(-(made.user_vectors @ made.item_vectors.T), axis=1)
    for precision in ("float16", "int8"):
        scores = restored(made.user_vectors, precision) @ restored(made.item_vectors, precision).T
        found = np.argsort(-scores, axis=1)
        for k in (10, 50):
            share = np.mean([len({*t} & {*f}) / k for t, f in zip(true[:, :k], found[:, :k], strict=True)])
            assert facts["precisions"][precision][f"recall@{k}"] == pytest.approx(share, abs=1e-3)
    assert facts["precisions"]["float16"]["recall@10"] > facts["precisions"]["int8"]["recall@10"] > 0.9


def test_without_precisions_no_further_file_is_written(tmp_path):
    facts, notes = write(tmp_path, vectors(5, 5))
    assert facts["precisions"] == {}
    assert len(notes.entries) == 5
