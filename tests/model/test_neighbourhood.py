import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hier_dag.graph.csr import CSR, from_coo
from hier_dag.model.adjacency import Adjacency
from hier_dag.model.neighbourhood import draw, neighbourhood, noise, places, union


def random_csr(rows: int, cols: int, nnz: int, seed: int, *, weighted: bool) -> CSR:
    rng = np.random.default_rng(seed)
    key = np.unique(rng.integers(0, rows * cols, nnz))
    values = rng.random(len(key)).astype(np.float32) + np.float32(0.1) if weighted else None
    return from_coo(key // cols, key % cols, rows, cols, values)


def dense(adj: Adjacency) -> torch.Tensor:
    weights = torch.ones(adj.nnz) if adj.weights is None else adj.weights
    out = torch.zeros(adj.rows, adj.cols).index_put(
        (adj.row_of_entry(), adj.indices), weights, accumulate=True
    )
    return out if adj.scale is None else out * adj.scale[:, None]


@given(st.integers(0, 10_000), st.booleans(), st.integers(1, 12))
def test_drawn_rows_are_whole_where_they_are_few_and_entries_of_the_row_in_order_where_many(
    seed, weighted, fanout
):
    whole = Adjacency.means(random_csr(20, 30, 200, seed, weighted=weighted))
    rows = torch.arange(0, 20, 2)
    drawn = draw(whole, rows, fanout, seed)
    every = whole.select(rows)
    assert torch.equal(drawn.degrees(), every.degrees().clamp(max=fanout))
    for r in range(len(rows)):
        mine = drawn.indices[drawn.indptr[r] : drawn.indptr[r + 1]].tolist()
        there = every.indices[every.indptr[r] : every.indptr[r + 1]].tolist()
        assert mine == sorted(mine)
        assert set(mine) <= set(there)
        if len(there) <= fanout:
            assert mine == there
            torch.testing.assert_close(dense(drawn)[r], dense(every)[r])
        elif not weighted:
            assert len(set(mine)) == fanout  # none is drawn twice
    sums = dense(drawn).sum(1)
    torch.testing.assert_close(sums, (every.degrees() > 0).float())  # a mean is still a mean


@pytest.mark.parametrize("weighted", [False, True])
def test_the_expectation_of_a_drawn_mean_is_the_mean_over_all(weighted):
    whole = Adjacency.means(random_csr(6, 40, 150, 1, weighted=weighted))
    rows = torch.arange(6)
    mean = torch.stack([dense(draw(whole, rows, 4, seed)) for seed in range(2000)]).mean(0)
    assert float((mean - dense(whole)).abs().max()) < 0.02


def test_what_is_drawn_for_a_row_does_not_depend_on_what_else_is_wanted():
    whole = Adjacency.means(random_csr(50, 50, 1000, 2, weighted=True))
    everything = draw(whole, torch.arange(50), 5, 9)
    alone = draw(whole, torch.tensor([31]), 5, 9)
    assert torch.equal(alone.indices, everything.select(torch.tensor([31])).indices)
    assert not torch.equal(everything.indices, draw(whole, torch.arange(50), 5, 10).indices)


def test_the_random_numbers_are_even_and_fixed_for_ever():
    u = noise(torch.arange(100_000), 3)
    assert float(u.min()) >= 0
    assert float(u.max()) < 1
    assert torch.histc(u, 10, 0, 1).sub(10_000).abs().max() < 400
    assert float(torch.corrcoef(torch.stack([u, noise(torch.arange(100_000), 4)]))[0, 1].abs()) < 0.01
    assert noise(torch.tensor([0, 41, 2**40]), 7).tolist() == [splitmix(n, 7) for n in (0, 41, 2**40)]


def splitmix(number: int, seed: int) -> float:
    """The same in Python's whole numbers."""
    x = ((number + 1) * 0x9E3779B97F4A7C15 + seed * 0x5851F42D4C957F2D % 2**62) % 2**64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return ((x ^ x >> 31) >> 11) * 2.0**-53


def test_layers_lead_from_the_inputs_to_the_wanted_nodes():
    whole = Adjacency.means(random_csr(30, 30, 90, 3, weighted=True))
    wanted = torch.tensor([3, 17])
    around = neighbourhood(whole, wanted, 2, 2, 5)
    assert around.outputs.tolist() == [3, 17]
    assert len(around.layers) == 2
    into = around.inputs
    for layer in around.layers:
        assert layer.messages.cols == len(into)
        into = into[layer.own]
    assert into.tolist() == [3, 17]
    none = neighbourhood(whole, wanted, 0, 2, 5)
    assert none.inputs.tolist() == [3, 17]
    assert none.layers == ()


@given(st.lists(st.integers(0, 19), max_size=30))
def test_unions_are_sorted_sets_and_places_find_their_members(numbers):
    some = torch.tensor(numbers, dtype=torch.int64)
    got = union(20, some, some[:3])
    assert got.tolist() == sorted(set(numbers))
    assert torch.equal(got[places(20, got)[some]], some)
