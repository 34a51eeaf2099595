"""A set's files hold every vector bit for bit, by the order of ids' bytes, and never all of it in memory."""

import hashlib
import json
import os
import tempfile
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.errors import ContractError, StoreError
from hier_dag.publish import files, writing
from hier_dag.publish.files import ITEMS, SEEN, SET, USERS
from hier_dag.publish.params import IndexParams
from hier_dag.publish.rows import BLOCK, OrderedRows
from hier_dag.publish.tables import lengths
from hier_dag.store import ArtifactStore, Manifest
from tests.publish.written import pairs, texts, vectors, write

IDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, unique=True)


def matrix(table):
    column = table["vector"].combine_chunks()
    return column.flatten().to_numpy().reshape(len(column), column.type.list_size)


@settings(max_examples=30, deadline=None)
@given(ids=IDS)
def test_every_vector_comes_back_bit_for_bit_under_its_id_whatever_the_ids_order(ids):
    made = vectors(len(ids), len(ids))
    with tempfile.TemporaryDirectory() as out:
        write(Path(out), made, texts(ids), texts(ids[::-1]))
        for file, key, given_ids, rows, origin in (
            (USERS, "user_id", ids, made.user_vectors, made.user_origin),
            (ITEMS, "item_id", ids[::-1], made.item_vectors, made.item_origin),
        ):
            table = pq.read_table(Path(out) / file)
            order = sorted(range(len(ids)), key=lambda i: given_ids[i].encode())
            assert table[key].to_pylist() == [given_ids[i] for i in order]
            assert matrix(table).tobytes() == rows[order].tobytes()
            kinds = [("trained", "kg_inferred", "fallback")[o] for o in origin[order]]
            assert table["origin"].to_pylist() == kinds
        assert table["name"].to_pylist() == [f"name of {given_ids[i]}" for i in order]


def test_ids_are_in_the_order_of_their_utf8_bytes(tmp_path):
    ids = ["é", "z", "🍰", "Z", "e\u0301", "\uffff", "10", "9"]
    write(tmp_path, vectors(len(ids), 1), texts(ids))
    found = pq.read_table(tmp_path / USERS)["user_id"].to_pylist()
    assert found == ["10", "9", "Z", "e\u0301", "z", "é", "\uffff", "🍰"]


def test_ids_that_are_in_order_already_are_not_gathered(tmp_path, monkeypatch):
    orders = []

    class Watched(OrderedRows):
        def __init__(self, rows, order=None):
            orders.append(order)
            super().__init__(rows, order)

    monkeypatch.setattr(files, "OrderedRows", Watched)
    write(tmp_path / "a", vectors(50, 50))
    assert orders == [None, None]
    write(tmp_path / "b", vectors(50, 50), user_ids=texts(f"u{i:06}" for i in range(50, 0, -1)))
    assert orders[2].tolist() == list(range(49, -1, -1))
    assert orders[3] is None


def test_vectors_are_plain_and_uncompressed_in_groups_of_16384_rows(tmp_path):
    write(tmp_path, vectors(BLOCK + 5, BLOCK * 2))
    assert BLOCK == 16_384
    for file, key, groups in ((USERS, "user_id", [BLOCK, 5]), (ITEMS, "item_id", [BLOCK, BLOCK])):
        found = pq.read_metadata(tmp_path / file)
        assert [found.row_group(i).num_rows for i in range(found.num_row_groups)] == groups
        columns = [found.row_group(0).column(c) for c in range(found.num_columns)]
        by_path = {column.path_in_schema: column for column in columns}
        assert by_path["vector.list.element"].compression == "UNCOMPRESSED"
        assert set(by_path["vector.list.element"].encodings) == {"PLAIN", "RLE"}  # RLE: of the levels
        assert by_path["vector.list.element"].dictionary_page_offset is None
        assert by_path[key].statistics.has_min_max
    assert pq.read_schema(tmp_path / USERS).names == ["user_id", "vector", "origin", "norm"]
    schema = pq.read_schema(tmp_path / ITEMS)
    assert schema.names == ["item_id", "name", "vector", "origin", "norm"]
    assert schema.field("vector").type == pa.list_(pa.field("element", pa.float32(), nullable=False), 8)
    assert pa.types.is_dictionary(schema.field("origin").type)


def test_one_id_is_found_by_the_statistics_of_one_row_group(tmp_path):
    write(tmp_path, vectors(3 * BLOCK, 1))
    file = pq.ParquetFile(tmp_path / USERS)
    bounds = [file.metadata.row_group(i).column(0).statistics for i in range(3)]
    wanted = f"u{BLOCK + 7:06}"
    holds = [i for i, b in enumerate(bounds) if b.min <= wanted <= b.max]
    assert holds == [1]
    assert file.read_row_group(1)["user_id"][7].as_py() == wanted


def test_norms_and_counts_are_those_of_the_vectors(tmp_path):
    made = vectors(31, 20)
    facts, _ = write(tmp_path, made, domain="cafe", space="0" * 16)
    norms = np.linalg.norm(made.user_vectors.astype(np.float64), axis=1)
    assert pq.read_table(tmp_path / USERS)["norm"].to_numpy() == pytest.approx(norms, rel=1e-6)
    told = {"min": norms.min(), "median": np.median(norms), "max": norms.max()}
    assert facts["norms"]["users"] == pytest.approx(told)
    assert facts["user_origins"] == {"trained": 11, "kg_inferred": 10, "fallback": 10}
    assert facts["item_origins"] == {"trained": 10, "kg_inferred": 10, "fallback": 0}
    told = [facts[k] for k in ("format", "users", "items", "dim", "domain", "space", "metric")]
    assert told == [2, 31, 20, 8, "cafe", "0" * 16, "inner_product"]
    assert json.loads((tmp_path / SET).read_bytes()) == facts


@pytest.mark.filterwarnings("error:overflow in cast")
def test_norms_of_very_long_and_very_short_vectors_are_right():
    rows = np.array([[3e30, 4e30], [3e-30, 4e-30], [0, 0], [3, 4]], np.float32)
    assert lengths(rows) == pytest.approx([5e30, 5e-30, 0, 5], rel=1e-6)
    assert np.isnan(lengths(np.array([[np.nan, 1]], np.float32)))


def test_what_was_seen_is_sorted_by_both_ids_and_may_be_of_anyone(tmp_path):
    made = replace(vectors(4, 3), users=np.array([3, 0, 1, 2]))
    seen = pairs([2, 0, 4, 0, 1], [1, 2, 0, 1, 0])
    write(tmp_path, made, texts("dbcea"), texts("zyx"), seen)
    found = pq.read_table(tmp_path / SEEN).to_pylist()
    told = [(r["user_id"], r["item_id"]) for r in found]
    assert told == [("a", "z"), ("b", "z"), ("c", "y"), ("d", "x"), ("d", "y")]


def test_vectors_belong_to_the_numbers_they_are_given_for(tmp_path):
    made = replace(vectors(3, 2), users=np.array([4, 0, 2]))
    write(tmp_path, made, texts("abcde"))
    table = pq.read_table(tmp_path / USERS)
    assert table["user_id"].to_pylist() == ["a", "c", "e"]
    assert np.array_equal(matrix(table), made.user_vectors[[1, 2, 0]])


def test_arrow_ids_give_the_same_bytes_as_object_ids(tmp_path):
    made = vectors(40, 30)
    ids = [f"u{i * 7 % 40}" for i in range(40)]
    _, objects = write(tmp_path / "a", made, texts(ids))
    _, arrow = write(tmp_path / "b", made, pa.array(ids))
    _, chunked = write(tmp_path / "c", made, pa.chunked_array([ids[:7], ids[7:]]))
    assert objects.entries == arrow.entries == chunked.entries


def test_writing_twice_gives_equal_bytes_and_digests_of_what_lies_there(tmp_path):
    params = IndexParams(exact_below=0, precisions=("float16", "int8"))
    seen = pairs(range(50), range(50))
    first, notes = write(tmp_path / "a", vectors(600, 500), seen=seen, params=params)
    second, again = write(tmp_path / "b", vectors(600, 500), seen=seen, params=params)
    assert first == second
    assert notes.entries == again.entries
    assert {e.path for e in notes.entries} == {p.name for p in (tmp_path / "a").iterdir()}
    for entry in notes.entries:
        data = (tmp_path / "a" / entry.path).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (entry.sha256, entry.bytes)


def test_a_set_is_committed_by_the_digests_of_its_writing(tmp_path):
    store = ArtifactStore(tmp_path)
    with store.stage("publish/embeddings") as staged:
        facts, notes = write(staged, vectors(5, 5))
        manifest = Manifest(
            kind="publish/embeddings", request_key="0" * 64, code_version="1", params={}, summary=facts
        )
        artifact = store.commit(staged, manifest, notes.entries)
    assert ArtifactStore(tmp_path).open("publish/embeddings", artifact.digest).json(SET) == facts


@pytest.mark.parametrize(("n_users", "n_items"), [(0, 0), (0, 3), (3, 0), (1, 1)])
def test_sets_of_nobody_and_nothing_are_whole_too(tmp_path, n_users, n_items):
    params = IndexParams(exact_below=0, hnsw_below=0, precisions=("float16", "int8"))
    facts, notes = write(tmp_path, vectors(n_users, n_items), params=params)
    assert [facts["users"], facts["items"], facts["index"]["queries"]] == [n_users, n_items, n_users]
    assert facts["index"]["recall@10"] == facts["index"]["recall@50"] == 1
    assert pq.read_table(tmp_path / USERS).num_rows == n_users
    assert pq.read_table(tmp_path / ITEMS).num_rows == n_items
    assert len(notes.entries) == 9


def test_an_id_that_occurs_twice_is_refused_by_name(tmp_path):
    with pytest.raises(ContractError, match=r"1 ids occur more than once, such as 'b'"):
        write(tmp_path, vectors(3, 1), texts("bab"))


def test_an_id_that_is_null_is_refused(tmp_path):
    with pytest.raises(ContractError, match=r"1 ids are null"):
        write(tmp_path, vectors(2, 1), texts(["a", None]))


@pytest.mark.parametrize("shuffled", [False, True])
def test_vectors_of_a_memory_map_never_lie_in_memory_whole(tmp_path, monkeypatch, shuffled):
    monkeypatch.setattr(writing, "_WAITING", 4)
    n, dim = 4 * BLOCK, 256
    path = tmp_path / "vectors.f32"
    np.ones((n, dim), np.float32).tofile(path)
    mapped = np.memmap(path, np.float32, "r", shape=(n, dim))
    numbers = np.random.default_rng(0).permutation(n) if shuffled else np.arange(n)
    made = replace(
        vectors(1, 1, dim), users=numbers, user_vectors=mapped, user_origin=np.zeros(n, np.int8)
    )  # fmt: skip
    ids = pa.array([f"u{i:06}" for i in range(n)])
    tracemalloc.start()
    try:
        write(tmp_path / "set", made, ids)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Two blocks of 16 MiB, four pieces of 1 MiB, and some 20 bytes a row.
    assert peak < 0.65 * mapped.nbytes
    assert mapped.nbytes == 64 << 20


def test_pages_of_a_map_that_were_read_are_given_back(tmp_path):
    n, dim = 4 * BLOCK, 256
    path = tmp_path / "vectors.f32"
    np.ones((n, dim), np.float32).tofile(path)
    rows = OrderedRows(np.memmap(path, np.float32, "r", shape=(n, dim)))
    before = _mapped_bytes(path)
    for _, block in rows.blocks():
        assert block.all()
    assert before == _mapped_bytes(path) == 0


def test_pages_around_rows_from_anywhere_are_given_back_every_few_rows(tmp_path, monkeypatch):
    path = tmp_path / "vectors.f32"
    np.arange(4_000, dtype=np.float32).tofile(path)
    mapped = np.memmap(path, np.float32, "r", shape=(1_000, 4))
    wanted = np.random.default_rng(0).permutation(1_000)[:650]
    given_back = []
    monkeypatch.setattr(OrderedRows, "_give_back", lambda _: given_back.append(None))
    assert np.array_equal(OrderedRows(mapped).take(wanted), mapped[wanted])
    assert len(given_back) == 11


def test_what_was_written_into_a_private_map_is_not_dropped(tmp_path):
    path = tmp_path / "vectors.f32"
    np.zeros((10, 4), np.float32).tofile(path)
    private = np.memmap(path, np.float32, "c", shape=(10, 4))
    private[:] = 7
    private.flags.writeable = False
    rows = OrderedRows(private)
    assert [rows.block(0, 10).max(), rows.block(0, 10).min()] == [7, 7]


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_told_with_the_files_name(tmp_path, monkeypatch, call):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(StoreError, match=r"users\.parquet.*No space left on device"):
        write(tmp_path, vectors(5, 5))


def _mapped_bytes(path):
    lines = Path("/proc/self/smaps").read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.endswith(str(path)))
    return next(int(line.split()[1]) for line in lines[at:] if line.startswith("Rss:"))
