"""A set larger than memory is turned on disk, to the same vectors, and leaves nothing behind."""

import mmap
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.errors import StoreError
from hier_dag.publish.rows import BLOCK, OrderedRows
from hier_dag.publish.space.alignment import align, align_to_disk


def rotation(dim, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))[0]


@given(rows=st.sampled_from([0, 1, 7, BLOCK, BLOCK + 3]), dim=st.integers(1, 5), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_vectors_turned_on_disk_are_those_turned_in_memory(tmp_path_factory, rows, dim, seed):
    folder = tmp_path_factory.mktemp("t")
    vectors = np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)
    turn, given_before = rotation(dim, seed), vectors.copy()
    found = align_to_disk(vectors, turn, folder)
    naive = np.array([turn.T @ row for row in vectors.astype(np.float64)]).reshape(rows, dim)
    assert (found.dtype, found.shape) == (np.float32, (rows, dim))
    assert found == pytest.approx(naive, abs=1e-5)
    np.testing.assert_array_equal(found, align(vectors, turn))
    np.testing.assert_array_equal(vectors, given_before)
    assert list(folder.iterdir()) == []


def test_what_is_on_disk_is_mapped_read_only_and_read_in_any_order(tmp_path):
    vectors = np.random.default_rng(1).normal(size=(BLOCK + 9, 3)).astype(np.float32)
    found = align_to_disk(vectors, rotation(3), tmp_path)
    assert isinstance(found.base, mmap.mmap)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 0
    order = np.random.default_rng(2).permutation(len(vectors))
    read = np.concatenate([block for _, block in OrderedRows(found, order).blocks()])
    np.testing.assert_array_equal(read, align(vectors, rotation(3))[order])


TURNED = """
import sys
from pathlib import Path
import numpy as np
from hier_dag.publish.rows import OrderedRows
from hier_dag.publish.space.alignment import align_to_disk
folder = Path(sys.argv[1])
shape = (1 << 20, 32)  # 128 MiB
np.lib.format.open_memmap(folder / "v.npy", "w+", np.float32, shape).flush()
def peak():
    # Not `ru_maxrss`, which begins with that of the process which started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
vectors = np.load(folder / "v.npy", mmap_mode="r")
np.eye(32) @ np.eye(32)
before = peak()
turned = align_to_disk(vectors, np.eye(32), folder)
for _, block in OrderedRows(turned).blocks():
    assert not block.any()
print((peak() - before) // 1024)
"""


def test_turning_holds_a_block_in_memory_not_the_set(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", TURNED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 48  # MiB, of 128 read and 128 written


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(StoreError, match="cannot be written") as caught:
        align_to_disk(np.ones((2, 2), np.float32), rotation(2), tmp_path / "none")
    assert str(tmp_path / "none") in str(caught.value)
