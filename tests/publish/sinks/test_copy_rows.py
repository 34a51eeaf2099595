"""Rows go to Postgres as bytes that a plain reader of the format reads back unchanged."""

import struct

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from hier_dag.publish.sinks.copy_rows import CopyStream

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def parsed(data):
    """Rows of a binary COPY stream, read field by field."""
    assert data[:19] == b"PGCOPY\n\xff\r\n\0" + bytes(8)
    at, rows = 19, []
    while (number := struct.unpack_from(">h", data, at)[0]) != -1:
        at, row = at + 2, []
        for _ in range(number):
            (length,) = struct.unpack_from(">i", data, at)
            at += 4
            row.append(None if length == -1 else data[at : at + length])
            at += max(length, 0)
        rows.append(row)
    assert at + 2 == len(data)
    return rows


def vector(field):
    dim, unused = struct.unpack_from(">HH", field)
    assert unused == 0
    return list(struct.unpack_from(f">{dim}f", field, 4))


@given(st.lists(st.lists(st.tuples(TEXT, st.none() | TEXT), max_size=5), max_size=4), st.integers(1, 6))
def test_every_text_null_and_number_is_in_the_stream_as_it_was(batches, dim):
    rng = np.random.default_rng(0)
    made, expected = [], []
    for rows in batches:
        numbers = rng.normal(size=(len(rows), dim + 1)).astype(np.float32)
        flat = pa.array(np.ascontiguousarray(numbers[:, :dim]).ravel())
        columns = {
            "id": pa.array([r[0] for r in rows], pa.string()),
            "name": pa.array([r[1] for r in rows], pa.string()),
            "vector": pa.FixedSizeListArray.from_arrays(flat, dim),
            "norm": pa.array(numbers[:, dim]),
        }
        made.append(pa.RecordBatch.from_pydict(columns))
        expected += [(i, n, v[:dim].tolist(), float(v[dim])) for (i, n), v in zip(rows, numbers, strict=True)]
    found = parsed(CopyStream(made).readall())
    assert [
        (i.decode(), n if n is None else n.decode(), vector(v), struct.unpack(">f", x)[0])
        for i, n, v, x in found
    ] == expected


def test_a_slice_of_a_larger_batch_gives_its_own_rows_alone():
    whole = pa.RecordBatch.from_pydict(
        {"id": ["a", "bb", "ccc", "d"], "norm": pa.array([1, 2, 3, 4.0], pa.float32())}
    )
    assert [row[0] for row in parsed(CopyStream([whole.slice(1, 2)]).readall())] == [b"bb", b"ccc"]
