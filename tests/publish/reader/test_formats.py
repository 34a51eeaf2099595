"""Older sets are read, newer and foreign ones are refused with words, and files are what set.json says."""

import io
import json

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.errors import StoreError


def facts(cafe, **changed):
    """A set whose set.json is changed, published."""
    said = json.loads((cafe.folder(cafe.digest) / "set.json").read_text()) | changed
    data = json.dumps({k: v for k, v in said.items() if v is not ...}).encode()
    cafe.publish(cafe.change(cafe.digest, "set.json", data), 2)
    return cafe


def replaced(cafe, name, data):
    cafe.publish(cafe.change(cafe.digest, name, data), 2)
    return cafe


def parquet(table, **how):
    sink = io.BytesIO()
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def test_a_set_of_format_1_is_read_by_exact_search(cafe):
    whole = cafe.open()
    for said in ({"dim": 5, "metric": "inner_product", "users": 3, "items": 4}, {}):
        cafe.publish(cafe.change(cafe.digest, "set.json", json.dumps(said).encode()), 2)
        old = cafe.open()
        assert (old.version, old.space, old.dim) == (2, None, 5)
        for user in ("u01", "u1"):
            assert [r.item_id for r in old.recommend(user, 3)] == [
                r.item_id for r in whole.recommend(user, 3)
            ]


def test_a_table_of_the_first_release_is_read(cafe):
    """One compressed row group, origins as plain texts, no norms."""
    for name in ("users", "items"):
        table = pq.read_table(cafe.folder(cafe.digest) / f"{name}.parquet").drop(["norm"])
        plain = table.set_column(
            table.schema.names.index("origin"), "origin", table["origin"].cast(pa.string())
        )
        cafe.digest = cafe.change(cafe.digest, f"{name}.parquet", parquet(plain, compression="zstd"))
    opened = facts(cafe, format=..., index=..., space=...).open()
    assert opened.user_origin("ü2") == "fallback"
    assert np.array_equal(opened.user_vector("u1"), cafe.users["u1"])
    assert opened.recommend("u1", 1)[0].origin == "trained"


def test_a_newer_set_is_refused_with_what_is_needed(cafe):
    with pytest.raises(
        StoreError, match=r"format 3, newer than the 2 that this reader knows.*newer than 0\.1\.0"
    ):
        facts(cafe, format=3).open()


@pytest.mark.parametrize(
    ("key", "value"),
    [("metric", "cosine"), ("metric", ...), ("normalisation", "unit"), ("domain", "bar"), ("domain", ...),
     ("format", "2"), ("format", 0), ("dim", 0), ("dim", "5"), ("dim", ...), ("users", -1), ("items", None),
     ("space", "beef"), ("space", 7), ("index", {"kind": "pq"}), ("index", "flat")],
)  # fmt: skip
def test_a_fact_that_is_unknown_or_no_such_thing_is_refused(cafe, key, value):
    with pytest.raises(StoreError, match=f"the set's {key if key != 'format' else '(format|domain)'}"):
        facts(cafe, **{key: value}).open()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"users": 4}, "3 users, not the 4"),
        ({"items": 5}, "4 items, not the 5"),
        ({"dim": 6}, "5 dimensions, not"),
    ],
)
def test_files_of_other_sizes_than_set_json_says_are_refused(cafe, changed, words):
    with pytest.raises(StoreError, match=words):
        facts(cafe, **changed).open().user_vector("u01")


def test_a_set_of_another_domain_is_refused(cafe):
    digest = cafe.change(cafe.digest, "more", b"", partition="bar")
    cafe.publish(digest, 2)
    with pytest.raises(StoreError, match="the set is of domain 'bar'"):
        cafe.open()


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"format": 2}, "the manifest has format 2"), ({"kind": "kg/graph"}, "no published set"),
     ({"files": {}}, "set has no file"), ({"files": 3}, "list of files"),
     ({"files": [{"path": "x"}]}, "list of files"),
     ({"files": [{"path": "../x", "sha256": "0" * 64, "bytes": 1}]}, "list of files"),
     ({"files": [{"path": "/x", "sha256": "0" * 64, "bytes": 1}]}, "list of files")],
)  # fmt: skip
def test_a_manifest_that_is_foreign_or_leads_elsewhere_is_refused(cafe, changed, words):
    cafe.publish(cafe.change(cafe.digest, "more", b"", **changed), 2)
    with pytest.raises(StoreError, match=words):
        cafe.open()


def index_of(vectors, metric=faiss.METRIC_INNER_PRODUCT):
    index = faiss.IndexFlat(vectors.shape[1], metric)
    index.add(vectors)
    return faiss.serialize_index(index).tobytes()


@pytest.mark.parametrize(
    ("index", "words"),
    [(index_of(np.ones((3, 5), np.float32)), "3 items, items.parquet 4"),
     (index_of(np.ones((4, 6), np.float32)), "6 dimensions, items.parquet 5"),
     (index_of(np.ones((4, 5), np.float32), faiss.METRIC_L2), "not of inner products"),
     (b"\x80\x04K\x01.", "not what its name says"), (b"", "not what its name says")],
)  # fmt: skip
def test_an_index_of_something_else_is_refused(cafe, index, words):
    with pytest.raises(StoreError, match=words) as caught:
        replaced(cafe, "items.faiss", index).open()
    assert caught.value.file.endswith("items.faiss")


def table(key="item_id", ids="abcd", vector=None, **more):
    flat = pa.array(np.ones(5 * len(ids), np.float32))
    vector = pa.FixedSizeListArray.from_arrays(flat, 5) if vector is None else vector
    columns = {key: list(ids), "name": list(ids), "vector": vector, "origin": ["trained"] * len(ids)}
    return pa.table({k: v for k, v in (columns | more).items() if v is not ...})


@pytest.mark.parametrize(
    ("items", "words"),
    [(table(vector=pa.array([[1.0] * 5] * 4)), "not a fixed-size list"),
     (table(vector=pa.array([[1.0] * 5] * 4, pa.list_(pa.float64(), 5))), "not a fixed-size list of float32"),
     (table(vector=pa.array([[1.0] * 5, None] * 2, pa.list_(pa.float32(), 5))), "null"),
     (table(vector=pa.array([[1.0] * 4 + [None]] * 4, pa.list_(pa.float32(), 5))), "null"),
     (table(ids="aabc"), "not unique and in byte order"), (table(ids="abdc"), "not unique and in byte order"),
     (table(item_id=["a", "b", "c", None]), "null"), (table(key="id"), "column is missing"),
     (table(origin=...), "column is missing")],
)  # fmt: skip
def test_a_catalogue_that_is_none_is_refused(cafe, items, words):
    with pytest.raises(StoreError, match=words) as caught:
        replaced(cafe, "items.parquet", parquet(items)).open().item_vectors(["a", "b"])
    assert caught.value.file.endswith("items.parquet")


@pytest.mark.parametrize(
    ("users", "words", "group"),
    [(table("user_id", ["u01", "u1", "u1"]), "not unique and in byte order", 8),
     (table("user_id", ["u1", "u01", "u2"]), "not unique and in byte order", 8),
     (table("user_id", ["u1", "u01", "u2"]), "row groups are not in byte order", 1),
     (table("user_id", ["u01", "u1", "u2"], vector=pa.array([[1.0] * 4] * 3, pa.list_(pa.float32(), 4))),
      "4 dimensions, not the 5", 8)],
)  # fmt: skip
def test_a_table_of_users_that_is_none_is_refused(cafe, users, words, group):
    opened = replaced(cafe, "users.parquet", parquet(users, row_group_size=group)).open()
    with pytest.raises(StoreError, match=words) as caught:
        opened.user_vectors(["u01", "u1"])
    assert caught.value.file.endswith("users.parquet")


@pytest.mark.parametrize(
    "name", ["users.parquet", "items.parquet", "seen.parquet", "items.faiss", "set.json"]
)
def test_other_things_under_the_name_of_a_file_are_refused(cafe, name):
    with pytest.raises(StoreError) as caught:
        replaced(cafe, name, b"\x80\x04K\x01." * 30).open().recommend("u01")
    assert caught.value.file.endswith(name)
