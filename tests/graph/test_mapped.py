"""Arrays of a safetensors file are mapped, not read; a file that lies about itself gives none."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from hier_dag.graph.mapped import mapped_arrays

KINDS = [
    np.dtype(name) for name in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "bool")
]
ARRAYS = st.sampled_from(KINDS).flatmap(
    lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)


@given(arrays=st.dictionaries(st.text(max_size=8).filter(lambda n: n != "__metadata__"), ARRAYS, max_size=5))
@settings(max_examples=100, deadline=None)
def test_what_was_saved_comes_back_as_the_library_reads_it(tmp_path_factory, arrays):
    file = tmp_path_factory.mktemp("m") / "x.safetensors"
    save_file({name: np.ascontiguousarray(a).reshape(a.shape) for name, a in arrays.items()}, file)
    found, copied = mapped_arrays(file), load_file(file)
    assert found.keys() == copied.keys() == arrays.keys()
    for name, array in arrays.items():
        for one in (found[name], copied[name]):
            assert (one.dtype, one.shape, one.tobytes()) == (array.dtype, array.shape, array.tobytes())
        assert type(found[name]) is np.ndarray
        assert not found[name].flags.writeable


def resident():
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * 4096


def test_a_large_file_takes_no_memory_until_it_is_read(tmp_path):
    file = tmp_path / "x.safetensors"
    save_file({"a": np.ones((1 << 20, 16), np.float32), "b": np.arange(3)}, file)  # 64 MiB
    before = resident()
    found = mapped_arrays(file)
    assert resident() - before < 16 << 20
    assert found["a"][-1].tolist() == [1.0] * 16
    assert found["b"].tolist() == [0, 1, 2]


def file_of(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensor(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


HOSTILE = {
    "nothing": b"",
    "half a length": b"\x01\x00",
    "a header longer than the file": file_of({"a": tensor()}, bytes(8), length=2**40),
    "the longest header there is": file_of({"a": tensor()}, bytes(8), length=2**64 - 1),
    "no JSON": file_of(b"{'a'", bytes(8)),
    "a list": file_of(b"[]", bytes(8)),
    "JSON nested without end": file_of(b'{"a":' * 50_000),
    "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "data that was cut off": file_of({"a": tensor()}, bytes(7)),
    "data that nobody names": file_of({"a": tensor()}, bytes(9)),
    "offsets beyond the file": file_of({"a": tensor(offsets=(2**50, 2**50 + 8))}, bytes(8)),
    "offsets below the data": file_of({"a": tensor(offsets=(-8, 0))}, bytes(8)),
    "offsets that go backwards": file_of({"a": tensor(offsets=(8, 0))}, bytes(8)),
    "two tensors on the same bytes": file_of({"a": tensor(), "b": tensor()}, bytes(8)),
    "tensors that overlap": file_of({"a": tensor(), "b": tensor(offsets=(4, 12))}, bytes(12)),
    "a gap": file_of({"a": tensor(), "b": tensor(offsets=(12, 20))}, bytes(20)),
    "a shape that is larger": file_of({"a": tensor(shape=(3,))}, bytes(8)),
    "a shape whose product overflows": file_of({"a": tensor(shape=(2**33, 2**33))}, bytes(8)),
    "a shape below zero": file_of({"a": tensor(shape=(-2, -1))}, bytes(8)),
    "objects": file_of({"a": tensor(dtype="OBJECT")}, bytes(8)),
    "a type that numpy lacks": file_of({"a": tensor(dtype="BF16", offsets=(0, 4))}, bytes(4)),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_header_that_lies_is_refused(tmp_path, data):
    file = tmp_path / "x.safetensors"
    file.write_bytes(data)
    with pytest.raises((SafetensorError, TypeError)):
        mapped_arrays(file)


@given(cut=st.integers(0, 10_000), at=st.integers(0, 10_000), byte=st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_gives_an_error_or_arrays_inside_it(tmp_path_factory, cut, at, byte):
    file = tmp_path_factory.mktemp("m") / "x.safetensors"
    save_file({"a": np.arange(6, dtype=np.float32).reshape(3, 2), "b": np.arange(4)}, file)
    data = bytearray(file.read_bytes())
    data[at % len(data)] = byte
    torn = data[: cut % (len(data) + 1)] or data
    file.write_bytes(torn)
    try:
        found = mapped_arrays(file)
    except (SafetensorError, TypeError):
        return
    assert sum(array.nbytes for array in found.values()) < len(torn)
    assert {name: a.tobytes() for name, a in found.items()} == {
        n: a.tobytes() for n, a in load_file(file).items()
    }
