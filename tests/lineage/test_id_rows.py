"""Rows are found by id in every row group that has them, without loading pandas."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.errors import StoreError
from hier_dag.lineage.id_rows import rows_with, strings

IDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=3)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.none() | IDS, max_size=30),
    st.lists(IDS, max_size=5, unique=True),
    st.integers(1, 7),
    st.booleans(),
)
def test_the_rows_are_those_that_a_look_at_each_row_finds(tmp_path_factory, kept, wanted, group, in_order):
    kept = sorted(kept, key=lambda one: (one is None, one or "")) if in_order else kept
    file = tmp_path_factory.mktemp("ids") / "events.parquet"
    table = pa.table({"user_id": pa.array(kept, pa.string()), "row": pa.array(range(len(kept)), pa.int64())})
    pq.write_table(table, file, row_group_size=group)
    found = rows_with(file, "user_id", strings(wanted), ["row", "user_id"])
    expected = [(n, one) for n, one in enumerate(kept) if one in set(wanted)]
    assert found.column_names == ["row", "user_id"]
    assert list(zip(*(c.to_pylist() for c in found.columns), strict=True)) == expected


@given(st.lists(IDS, max_size=10))
def test_ids_become_an_array_in_their_order(ids):
    made = strings(ids)
    made.validate(full=True)
    assert made.to_pylist() == ids


def test_a_row_group_without_the_id_is_not_read(tmp_path, monkeypatch):
    file, read = tmp_path / "users.parquet", []
    pq.write_table(pa.table({"user_id": [f"u{n:02d}" for n in range(40)]}), file, row_group_size=10)
    whole = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_group", lambda own, n, **how: read.append(n) or whole(own, n, **how)
    )
    assert rows_with(file, "user_id", strings(["u25"]), ["user_id"]).num_rows == 1
    assert set(read) == {2}


def test_a_file_without_the_column_is_named(tmp_path):
    file = tmp_path / "users.parquet"
    pq.write_table(pa.table({"user_id": ["u1"]}), file)
    with pytest.raises(StoreError, match="origin") as told:
        rows_with(file, "user_id", strings(["u1"]), ["user_id", "origin"])
    assert told.value.file == str(file)


def test_pandas_is_not_loaded(tmp_path):
    file = tmp_path / "users.parquet"
    pq.write_table(pa.table({"user_id": ["u1", "u2"], "row": [1, 2]}), file)
    code = f"""
import sys
from pathlib import Path
from hier_dag.lineage.id_rows import numbers, rows_with, strings
found = rows_with(Path({str(file)!r}), "user_id", strings(["u2"]), ["row"])
print(numbers(found["row"]).tolist(), "pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[2] False"
