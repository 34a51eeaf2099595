"""Of any kind, an index finds the largest inner products, says how well, and is the same each time."""

import os

import faiss
import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from hier_dag.errors import StoreError
from hier_dag.publish import index as index_module
from hier_dag.publish.files import INDEX
from hier_dag.publish.index import build_index, choose, tuned, write_index
from hier_dag.publish.index_recall import (
    Truth,
    exact_best,
    latency,
    recall,
    sampled_users,
    shortfalls,
    truth_of,
)
from hier_dag.publish.params import IndexParams
from hier_dag.publish.rows import BLOCK, OrderedRows
from hier_dag.publish.writing import HashedFolder
from tests.publish.written import vectors, write

KINDS = {
    "flat": IndexParams(),
    "hnsw": IndexParams(exact_below=0),
    "ivf": IndexParams(exact_below=0, hnsw_below=0),
}
MADE = vectors(300, 3_000, dim=12)
ITEMS = OrderedRows(MADE.item_vectors)


def naive(queries, items, k):
    return np.argsort(-(queries.astype(np.float64) @ items.T.astype(np.float64)), axis=1)[:, :k]


def naive_recall(truth, found, k):
    return np.mean([len({*t[:k]} & {*f[:k]}) / k for t, f in zip(truth, found, strict=True)])


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_read_back_finds_what_its_set_says_it_finds(tmp_path, kind):
    facts, notes = write(tmp_path, MADE, params=KINDS[kind].model_copy(update={"queries": 300}))
    index = faiss.read_index(str(tmp_path / INDEX))
    scores, found = index.search(MADE.user_vectors, 50)
    true = naive(MADE.user_vectors, MADE.item_vectors, 50)
    told = facts["index"]
    assert told["kind"] == kind
    assert told["queries"] == 300
    assert told["recall@10"] == pytest.approx(naive_recall(true, found, 10), abs=1e-3)
    assert told["recall@50"] == pytest.approx(naive_recall(true, found, 50), abs=1e-3)
    assert told["recall@10"] >= 0.97
    assert told["recall@50"] >= 0.93
    products = np.take_along_axis(MADE.user_vectors @ MADE.item_vectors.T, found, 1)
    assert np.allclose(scores, products, atol=1e-4)
    assert set(notes.latency) == {"p50_ms", "p99_ms"}
    assert 0 < notes.latency["p50_ms"] <= notes.latency["p99_ms"]


@pytest.mark.parametrize("kind", KINDS)
def test_equal_items_give_equal_bytes_with_any_number_of_threads(tmp_path, kind):
    entries = []
    before = faiss.omp_get_max_threads()
    try:
        for threads in (1, 2, 5):
            faiss.omp_set_num_threads(threads)
            (tmp_path / str(threads)).mkdir()
            folder = HashedFolder(tmp_path / str(threads))
            with folder.create(INDEX) as file:
                write_index(build_index(ITEMS, KINDS[kind]), file)
            assert faiss.omp_get_max_threads() == threads
            entries.append(folder.entries)
    finally:
        faiss.omp_set_num_threads(before)
    assert entries[0] == entries[1] == entries[2]


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_rows_in_memory_is_no_matter(kind):
    order = np.random.default_rng(0).permutation(len(MADE.items))
    shuffled = OrderedRows(MADE.item_vectors[order], np.argsort(order))
    for built in (build_index(ITEMS, KINDS[kind]), build_index(shuffled, KINDS[kind])):
        found = tuned(built, lambda b: max(b.parameters.values()) >= 100).search(MADE.user_vectors, 10)
        assert naive_recall(naive(MADE.user_vectors, MADE.item_vectors, 10), found, 10) > 0.99


def test_the_kind_follows_the_number_of_items():
    params = IndexParams(exact_below=100, hnsw_below=1_000)
    kinds = [choose(n, params)[0] for n in (0, 99, 100, 999, 1_000)]
    assert kinds == ["flat", "flat", "hnsw", "hnsw", "ivf"]
    assert choose(1_000_000, IndexParams(hnsw_below=0, exact_below=0)) == ("ivf", {"lists": 2_048})
    assert choose(1, IndexParams(hnsw_below=0, exact_below=0)) == ("ivf", {"lists": 1})


@pytest.mark.parametrize(("kind", "name"), [("hnsw", "search"), ("ivf", "probes")])
def test_the_search_effort_is_raised_until_it_is_enough_and_kept_in_the_file(tmp_path, kind, name):
    tried = []

    def enough(built):
        tried.append(built.parameters[name])
        return len(tried) == 4

    built = tuned(build_index(ITEMS, KINDS[kind]), enough)
    assert tried == sorted(set(tried))
    assert built.parameters[name] == tried[-1]
    with HashedFolder(tmp_path).create(INDEX) as file:
        write_index(built, file)
    read = faiss.read_index(str(tmp_path / INDEX))
    kept = read.hnsw.efSearch if kind == "hnsw" else faiss.extract_index_ivf(read).nprobe
    assert kept == tried[-1]


def test_an_effort_that_is_never_enough_ends_with_all_lists_and_so_with_the_exact_answer():
    built = tuned(build_index(ITEMS, KINDS["ivf"]), lambda _: False)
    assert built.parameters["probes"] == built.parameters["lists"]
    found = built.search(MADE.user_vectors, 10)
    assert np.array_equal(found, naive(MADE.user_vectors, MADE.item_vectors, 10))


def test_long_items_are_found_in_lists_as_short_ones_are():
    # Without the further coordinate, lists hold near items, and the longest are far from every query.
    items = vectors(0, 2_000, dim=8, seed=3).item_vectors
    items[::50] *= 30
    built = tuned(build_index(OrderedRows(items), KINDS["ivf"]), lambda b: b.parameters["probes"] >= 4)
    found = built.search(MADE.user_vectors[:, :8], 1)
    assert naive_recall(naive(MADE.user_vectors[:, :8], items, 1), found, 1) > 0.9


def test_an_index_of_many_blocks_is_the_index_of_all_items():
    made = vectors(5, 2 * BLOCK + 3, dim=4)
    built = build_index(OrderedRows(made.item_vectors), IndexParams(exact_below=10**6))
    assert np.array_equal(
        built.search(made.user_vectors, 10), naive(made.user_vectors, made.item_vectors, 10)
    )
    best = exact_best(made.user_vectors, OrderedRows(made.item_vectors), 10)
    assert np.array_equal(best, naive(made.user_vectors, made.item_vectors, 10))


def test_recall_is_the_share_of_the_best_that_is_found():
    items = OrderedRows(np.arange(1, 61, dtype=np.float32)[:, None])
    truth = truth_of(np.ones((2, 1), np.float32), items)
    best = np.arange(59, 9, -1)
    worse = np.where(np.arange(50) % 2 == 0, best, -1)
    assert recall(truth, np.stack([best, best]), items) == {"recall@10": 1.0, "recall@50": 1.0}
    assert recall(truth, np.stack([best, worse]), items) == {"recall@10": 0.75, "recall@50": 0.75}
    shifted = np.stack([best, np.roll(best, 5)])  # its first five are the worst of the fifty
    assert recall(truth, shifted, items) == {"recall@10": 0.75, "recall@50": 1.0}


def test_items_that_tie_with_the_last_of_the_best_count_as_found():
    items = OrderedRows(np.ones((100, 2), np.float32))
    truth = truth_of(np.ones((1, 2), np.float32), items)
    assert recall(truth, np.arange(50, 100)[None], items) == {"recall@10": 1.0, "recall@50": 1.0}
    nearly = OrderedRows(np.array([[1.0]] * 50 + [[1 - 1e-4]] * 50, np.float32))
    truth = truth_of(np.ones((1, 1), np.float32), nearly)
    assert recall(truth, np.arange(50, 100)[None], nearly)["recall@10"] == 0


def test_recall_with_fewer_items_than_asked_for_is_of_those_there_are():
    items = OrderedRows(np.arange(1, 4, dtype=np.float32)[:, None])
    truth = truth_of(np.ones((1, 1), np.float32), items)
    assert recall(truth, np.array([[2, 1, -1]]), items) == {"recall@10": 0.666667, "recall@50": 0.666667}
    nobody = Truth(np.empty((0, 1), np.float32), {10: np.empty(0)})
    assert recall(nobody, np.empty((0, 3), np.int64), items) == {"recall@10": 1.0}


def test_a_recall_below_its_floor_is_told_with_the_floor():
    params = IndexParams(recall_floor=0.95, recall_floor_50=0.9)
    assert shortfalls({"recall@10": 0.95, "recall@50": 0.9}, params) == {}
    short = shortfalls({"recall@10": 0.949, "recall@50": 0.97}, params)
    assert short == {"recall@10": {"found": 0.949, "floor": 0.95}}


def test_a_disk_that_fills_up_while_an_index_is_written_is_told_with_the_files_name(tmp_path, monkeypatch):
    built = build_index(OrderedRows(np.ones((50_000, 32), np.float32)), IndexParams(exact_below=10**6))
    left = [3]  # pieces of 1 MiB; the index has seven

    def filling(fd, data, write=os.write):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr(os, "write", filling)
    folder = HashedFolder(tmp_path)
    with pytest.raises(StoreError, match=r"items\.faiss.*No space left"), folder.create(INDEX) as file:
        write_index(built, file)
    assert folder.entries == []


def test_users_are_sampled_by_their_ids_alone():
    ids = pa.array([f"u{i}" for i in range(1_000)], pa.large_string())
    some = {ids[int(i)].as_py() for i in sampled_users(ids, 100)}
    again = ids[::-1].take(pa.array(sampled_users(ids[::-1], 100)))
    assert set(again.to_pylist()) == some
    assert len(some) == 100
    fewer = {ids[int(i)].as_py() for i in sampled_users(ids, 10)}
    assert fewer < some
    assert sorted(sampled_users(ids, 5_000)) == list(range(1_000))


def test_the_effort_is_not_tuned_on_the_users_that_recall_is_measured_with(tmp_path, monkeypatch):
    seen = []
    search = index_module.BuiltIndex.search
    monkeypatch.setattr(
        index_module.BuiltIndex, "search", lambda self, q, k: seen.append(q) or search(self, q, k)
    )
    write(tmp_path, MADE, params=KINDS["ivf"].model_copy(update={"queries": 40}))
    tuning, measured = ({row.tobytes() for row in q} for q in (seen[0], seen[-1]))
    assert [len(tuning), len(measured)] == [256, 40]
    assert not tuning & measured


def test_without_a_query_there_is_no_latency():
    index = faiss.IndexFlatIP(2)
    assert latency(index, np.empty((0, 2), np.float32)) == {}


def test_parameters_that_contradict_each_other_are_refused():
    with pytest.raises(ValidationError, match="recall_target is below recall_floor"):
        IndexParams(recall_target=0.9)
    with pytest.raises(ValidationError, match="recall_target_50 is below recall_floor_50"):
        IndexParams(recall_floor_50=0.99)
    with pytest.raises(ValidationError, match="int8 is given twice"):
        IndexParams(precisions=("int8", "int8"))
    with pytest.raises(ValidationError, match="queries"):
        IndexParams(queries="many")
    assert IndexParams.model_validate({"precisions": ["int8"]}).precisions == ("int8",)
