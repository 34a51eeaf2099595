import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hier_dag.graph.csr import from_coo
from hier_dag.model.neighbours import co_occurrence, entity_neighbours


def dense(csr):
    out = np.zeros((csr.rows, csr.cols))
    np.add.at(out, (csr.row_of_entry(), csr.indices), csr.values)
    return out


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 6)), max_size=25))
def test_co_occurrence_counts_shared_items(links):
    item, entity = np.array(sorted(links), dtype=np.int64).reshape(-1, 2).T
    a = np.zeros((6, 7))
    a[item, entity] = 1
    want = a.T @ a
    np.fill_diagonal(want, 0)
    np.testing.assert_array_equal(dense(co_occurrence(from_coo(item, entity, 6, 7))), want)


def test_triples_are_neighbours_beside_co_occurrence_and_keep_their_relation():
    links = from_coo(np.array([0, 0, 1]), np.array([0, 1, 2]), 2, 4)
    triples = from_coo(np.array([0, 3, 0]), np.array([1, 2, 3]), 4, 4, kinds=np.array([1, 0, 0]))
    both = entity_neighbours(links, triples)
    edges = set(zip(both.row_of_entry().tolist(), both.indices.tolist(), both.kinds.tolist(), strict=True))
    assert edges == {(0, 1, 0), (1, 0, 0), (0, 1, 2), (3, 2, 1), (0, 3, 1)}
    assert dense(both)[0].tolist() == [0, 2, 0, 1]
