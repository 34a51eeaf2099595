"""A live set is compared by ids that both sets have: the same ones every time, read from few row groups."""

import hashlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.errors import StoreError
from hier_dag.publish.space.probes import common
from hier_dag.publish.space.sides import ArraySide, FileSide, id_hashes
from tests.publish.space.helpers import ids, normal, space, written

NAMES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True, max_size=30)


def lowest(texts, n):
    """The naive reference: texts by the last eight bytes of their MD5."""
    return sorted(texts, key=lambda t: int.from_bytes(hashlib.md5(t.encode()).digest()[8:], "little"))[:n]


def side(texts, seed):
    texts = sorted(texts, key=str.encode)
    return ArraySide(np.array(texts, dtype=object), normal(len(texts), 3, seed))


def vector_of(some, name):
    return some.vectors[some.ids.to_pylist().index(name)]


@given(mine=NAMES, theirs=NAMES, both=NAMES, sample=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_the_sample_is_the_common_ids_of_lowest_hash_each_with_its_own_two_vectors(
    mine, theirs, both, sample
):
    new, live = side({*mine, *both}, 0), side({*theirs, *both}, 1)
    shared = set(new.ids.to_pylist()) & set(live.ids.to_pylist())
    found = common(new, live, sample)
    assert found.count == len(shared)
    chosen = lowest(shared, sample)
    assert found.new.tolist() == [vector_of(new, name).tolist() for name in chosen]
    assert found.live.tolist() == [vector_of(live, name).tolist() for name in chosen]


@given(
    new=st.lists(st.integers(0, 12), max_size=20),
    live=st.lists(st.integers(0, 12), max_size=20),
    sample=st.integers(1, 6),
)
def test_ids_of_one_hash_are_counted_once_and_the_first_of_them_is_looked_at(new, live, sample):
    class Hashed(ArraySide):
        def hashes(self):
            return np.array(self.numbers, np.uint64)

        def take(self, rows):
            looked_at.append(rows.tolist())
            return super().take(rows)

    sides, looked_at = [], []
    for numbers in (new, live):
        made = Hashed(np.array([str(n) for n in numbers], object), normal(len(numbers), 2))
        made.numbers = numbers
        sides.append(made)
    shared = sorted({*new} & {*live})
    assert common(*sides, sample).count == len(shared)
    first = [[numbers.index(n) for n in shared[:sample]] for numbers in (new, live)]
    assert looked_at == [sorted(rows) for rows in first]


COMPARED = """
import sys
from pathlib import Path
import numpy as np
import pyarrow as pa
from hier_dag.publish.space.probes import common
from hier_dag.publish.space.sides import ArraySide
n = 1 << 19
np.lib.format.open_memmap(Path(sys.argv[1]) / "v.npy", "w+", np.float32, (n, 64)).flush()  # 128 MiB
ids = pa.array(np.arange(n)).cast(pa.large_string())
def side():
    return ArraySide(ids, np.load(Path(sys.argv[1]) / "v.npy", mmap_mode="r"))
def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
side().hashes()
before = peak()
assert common(side(), side(), 5000).count == n
print((peak() - before) // 1024)
"""


def test_comparing_mapped_vectors_holds_the_sample_and_the_hashes_not_the_set(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", COMPARED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 64  # MiB, of 128 that are mapped twice


def test_users_that_come_or_go_leave_the_probes_alone():
    live = side([f"u{n}" for n in range(50)], 0)
    gone_and_come = side([f"u{n}" for n in range(5, 200)], 1)
    probes = lowest([f"u{n}" for n in range(50)], 10)
    stayed = [name for name in probes if int(name[1:]) >= 5]
    found = common(gone_and_come, live, 10).live.tolist()
    assert found[: len(stayed)] == [vector_of(live, name).tolist() for name in stayed]


def test_a_file_answers_as_the_arrays_that_were_written(tmp_path):
    made = space(normal(30, 4), normal(9, 4, 1))
    read = written(tmp_path / "set", made)
    rows = np.array([0, 6, 7, 20, 29])
    assert np.array_equal(read.users.hashes(), made.users.hashes())
    for found, expected in zip(read.users.take(rows), made.users.take(rows), strict=True):
        assert np.array_equal(found, expected)
    assert read.users.take(np.array([], np.int64))[1].shape == (0, 4)
    assert read.items.dim == 4


def test_row_groups_without_a_wanted_row_are_not_read(tmp_path):
    written(tmp_path / "set", space(normal(30, 4), normal(9, 4, 1)))
    file = tmp_path / "set" / "users.parquet"
    broken = pq.ParquetFile(file).metadata.row_group(0).column(1)
    data = bytearray(file.read_bytes())
    at = broken.dictionary_page_offset or broken.data_page_offset
    data[at : at + broken.total_compressed_size] = bytes(broken.total_compressed_size)
    file.write_bytes(data)
    users = FileSide(file, "user_id")
    assert len(users.take(np.array([7, 29]))[1]) == 2
    with pytest.raises(StoreError, match=r"users\.parquet"):
        users.take(np.array([0]))


@pytest.mark.parametrize("vector", [pa.array([[1.0], [2.0]]), pa.array([1.0, 2.0])])
def test_a_table_without_vectors_of_one_length_is_refused(tmp_path, vector):
    pq.write_table(pa.table({"user_id": ["a", "b"], "vector": vector}), tmp_path / "users.parquet")
    with pytest.raises(StoreError, match=r"users\.parquet.*not a fixed-size list"):
        FileSide(tmp_path / "users.parquet", "user_id")


def test_ids_may_be_of_any_string_type():
    plain = pa.array(ids("ü", 20), pa.string())
    assert np.array_equal(id_hashes([plain]), id_hashes([plain.cast(pa.large_string())]))
    assert np.array_equal(id_hashes([plain]), id_hashes([plain[:3], plain[3:]]))
    assert len(id_hashes([])) == 0
