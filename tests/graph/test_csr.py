"""CSR against a dense matrix."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hier_dag.graph.csr import from_coo

entries = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=30)


def dense(csr):
    out = np.zeros((csr.rows, csr.cols))
    np.add.at(out, (csr.row_of_entry(), csr.indices), 1.0 if csr.values is None else csr.values)
    return out


@given(entries)
def test_a_csr_and_its_transpose_hold_what_the_coordinates_say(pairs):
    row = np.array([p[0] for p in pairs], dtype=np.int64)
    col = np.array([p[1] for p in pairs], dtype=np.int64)
    values = np.arange(len(pairs), dtype=np.float32)
    wanted = np.zeros((5, 7))
    np.add.at(wanted, (row, col), values)
    csr = from_coo(row, col, 5, 7, values=values, kinds=col.copy())
    assert np.array_equal(dense(csr), wanted)
    assert np.array_equal(dense(csr.transpose()), wanted.T)
    assert np.array_equal(csr.kinds, csr.indices)
    assert csr.degrees().sum() == csr.nnz == len(pairs)
    for start, stop in zip(csr.indptr[:-1], csr.indptr[1:], strict=True):
        assert (np.diff(csr.indices[start:stop]) >= 0).all()
