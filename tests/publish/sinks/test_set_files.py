"""Sinks read the files of a published set as they are, and refuse what is no set."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.errors import StoreError
from hier_dag.publish.sinks.set_files import SetFiles
from tests.publish.written import vectors, write


def table(one, side):
    return pa.Table.from_batches(one.files.batches(side))


def rewritten(one, side, change):
    file = one.files.file(side)
    pq.write_table(change(pq.read_table(file)), file)
    return one


def test_users_and_items_come_in_the_columns_of_the_tables(a_set):
    one = a_set()
    assert table(one, "users").schema.names == ["id", "vector", "origin", "norm"]
    assert table(one, "items").schema.names == ["id", "name", "vector", "origin", "norm"]
    assert table(one, "users")["id"].to_pylist() == one.user_ids


def test_a_set_of_format_1_has_its_norms_computed(a_set):
    one = a_set()
    with_norms = table(one, "items")["norm"].to_numpy()
    without = table(rewritten(one, "items", lambda t: t.drop_columns("norm")), "items")["norm"].to_numpy()
    assert np.allclose(without, with_norms, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.drop_columns("origin"), "no column origin"),
        (lambda t: t.set_column(0, "user_id", pa.array(range(len(t)))), "id is int64"),
        (lambda t: t.set_column(0, "user_id", pa.array([None, *["u"] * (len(t) - 1)])), "id has 1 nulls"),
        (
            lambda t: t.set_column(1, "vector", pa.array([[1.0]] * len(t), pa.list_(pa.float32(), 1))),
            "vector is",
        ),
        (
            lambda t: t.set_column(1, "vector", pa.array([[1.0]] * len(t), pa.list_(pa.float32()))),
            "vector is",
        ),
    ],
)
def test_a_file_that_is_not_as_declared_is_named_with_its_fault(a_set, change, says):
    one = rewritten(a_set(), "users", change)
    with pytest.raises(StoreError, match=says) as refused:
        table(one, "users")
    assert refused.value.file.endswith("users.parquet")


@pytest.mark.parametrize("fault", [{"metric": "cosine"}, {"dim": None}, {"users": "many"}])
def test_what_a_set_says_of_itself_is_checked(a_set, fault):
    one = a_set()
    about = one.files.folder / "set.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | fault))
    with pytest.raises(StoreError, match=r"set\.json"):
        SetFiles.open(one.files.folder, one.files.digest)


def test_what_publication_writes_is_what_sinks_read(tmp_path):
    made = vectors(40, 30)
    write(tmp_path, made, domain="cafe", space="5" * 16)
    files = SetFiles.open(tmp_path, "0" * 64)
    assert (files.rows, files.space) == ({"users": 40, "items": 30}, "5" * 16)
    items = pa.Table.from_batches(files.batches("items"))
    assert np.array_equal(np.array(items["vector"].to_pylist(), np.float32), made.item_vectors)
    assert items["name"].to_pylist()[3] == "name of i000003"
    assert np.allclose(items["norm"].to_numpy(), np.linalg.norm(made.item_vectors, axis=1))
