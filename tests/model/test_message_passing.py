import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.graph.csr import from_coo
from hier_dag.model.adjacency import Adjacency
from hier_dag.model.message_passing import attend, spmm

NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
DEVICES = ["cpu", pytest.param("cuda", marks=NEEDS_GPU)]


def random_csr(seed, rows, cols, nnz, weighted):
    rng = np.random.default_rng(seed)
    values = rng.random(nnz).astype(np.float32) + 0.1 if weighted else None
    return from_coo(rng.integers(0, rows, nnz), rng.integers(0, cols, nnz), rows, cols, values=values)


def dense(csr, mean):
    out = np.zeros((csr.rows, csr.cols), np.float32)
    values = np.ones(csr.nnz) if csr.values is None else csr.values
    np.add.at(out, (csr.row_of_entry(), csr.indices), values)
    return torch.tensor(out / np.maximum(out.sum(1, keepdims=True), 1e-12) if mean else out)


def forward_and_gradient(function, *inputs):
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = function(*leaves)
    (out * torch.linspace(-1, 2, out.numel(), device=out.device).view_as(out)).sum().backward()
    return [out.detach().cpu(), *(leaf.grad.cpu() for leaf in leaves)]


def assert_all_close(left, right):
    for a, b in zip(left, right, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 9),
    cols=st.integers(1, 9),
    nnz=st.integers(0, 30),
    weighted=st.booleans(),
    mean=st.booleans(),
)
def test_both_back_ends_equal_the_dense_product(seed, rows, cols, nnz, weighted, mean):
    csr = random_csr(seed, rows, cols, nnz, weighted)
    adj = Adjacency.means(csr) if mean else Adjacency.sums(csr)
    x = torch.randn(cols, 3, generator=torch.Generator().manual_seed(seed))
    want = forward_and_gradient(lambda x: dense(csr, mean) @ x, x)
    for backend in ("torch", "dgl", None):
        assert_all_close(forward_and_gradient(lambda x, b=backend: spmm(adj, x, b), x), want)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 9), cols=st.integers(1, 9), nnz=st.integers(1, 30))
def test_attention_equals_a_naive_softmax_over_each_row(seed, rows, cols, nnz):
    csr = random_csr(seed, rows, cols, nnz, weighted=False)
    adj = Adjacency.sums(csr)
    generator = torch.Generator().manual_seed(seed)
    x, scores = torch.randn(cols, 3, generator=generator), torch.randn(nnz, generator=generator) * 5

    def naive(scores, x):
        out = []
        for r in range(rows):
            own = slice(csr.indptr[r], csr.indptr[r + 1])
            out.append(torch.softmax(scores[own], 0) @ x[torch.tensor(csr.indices[own])])
        return torch.stack(out)

    want = forward_and_gradient(naive, scores, x)
    for backend in ("torch", "dgl", None):
        got = forward_and_gradient(lambda s, x, b=backend: attend(adj, s, x, b), scores, x)
        assert_all_close(got, want)


def awkward(weighted):
    """float64; rows 1 and 4 are empty, columns 0 and 5 isolated, and (0, 2) is there three times."""
    row, col = np.array([0, 0, 0, 0, 2, 2, 3]), np.array([2, 2, 2, 4, 1, 3, 4])
    values = np.linspace(0.5, 2, len(row), dtype=np.float32) if weighted else None
    return from_coo(row, col, 5, 6, values=values)


def doubles(*shape):
    return torch.randn(
        *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    ).requires_grad_()


@pytest.mark.parametrize("backend", ["torch", "dgl"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("mean", [False, True])
def test_gradients_of_sums_and_means_pass_gradcheck(backend, weighted, mean):
    csr = awkward(weighted)
    adj = (Adjacency.means(csr) if mean else Adjacency.sums(csr)).double()
    x = doubles(6, 2)
    out = spmm(adj, x, backend)
    torch.testing.assert_close(out, dense(csr, mean).double() @ x, atol=1e-6, rtol=1e-6)
    assert not out[[1, 4]].any()
    assert torch.autograd.gradcheck(lambda x: spmm(adj, x, backend), (x,))
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert not gradient[[0, 5]].any()


@pytest.mark.parametrize("backend", ["torch", "dgl"])
def test_gradients_of_attention_pass_gradcheck(backend):
    adj = Adjacency.sums(awkward(weighted=False))
    scores, x = doubles(adj.nnz), doubles(6, 2)
    assert not attend(adj, scores, x, backend)[[1, 4]].any()
    assert torch.autograd.gradcheck(lambda s, x: attend(adj, s, x, backend), (scores, x))


@pytest.mark.parametrize("backend", ["torch", "dgl"])
def test_a_matrix_without_entries_gives_zeros(backend):
    adj, x = Adjacency.sums(random_csr(0, 3, 4, 0, weighted=False)), torch.ones(4, 2)
    for got in (
        forward_and_gradient(lambda x: spmm(adj, x, backend), x),
        forward_and_gradient(lambda s, x: attend(adj, s, x, backend), torch.ones(0), x),
    ):
        assert not any(tensor.any() for tensor in got)


def test_the_cpu_has_its_back_end_for_each_sum_and_a_caller_may_force_the_other():
    unit, weighted = (Adjacency.sums(random_csr(4, 5, 5, 12, w)) for w in (False, True))
    x, scores = torch.randn(5, 3, requires_grad=True), torch.randn(12)

    def by_torch(out):
        return "CsrSum" in out.grad_fn.name()

    assert not by_torch(spmm(unit, x))
    assert by_torch(spmm(unit, x, "torch"))
    assert by_torch(spmm(weighted, x))
    assert not by_torch(spmm(weighted, x, "dgl"))
    assert by_torch(attend(unit, scores, x))
    assert not by_torch(attend(unit, scores, x, "dgl"))


@pytest.mark.parametrize("weighted", [False, True])
def test_selected_rows_aggregate_like_the_whole_matrix(weighted):
    adj = Adjacency.means(random_csr(1, 7, 5, 20, weighted))
    x, rows = torch.randn(5, 3), torch.tensor([6, 0, 0, 3])
    want = forward_and_gradient(lambda x: spmm(adj, x)[rows], x)
    assert_all_close(forward_and_gradient(lambda x: spmm(adj.select(rows), x), x), want)


@pytest.mark.parametrize("device", DEVICES)
def test_an_adjacency_moves_between_devices(device):
    csr = random_csr(2, 6, 5, 20, weighted=False)
    adj, x = Adjacency.means(csr), torch.randn(5, 3)
    want = forward_and_gradient(lambda x: spmm(adj, x), x)
    assert_all_close(forward_and_gradient(lambda x: spmm(adj.to(device), x), x.to(device)), want)
    assert_all_close(forward_and_gradient(lambda x: spmm(adj.to("cpu"), x), x), want)


def test_an_adjacency_does_not_share_memory_with_the_callers_arrays():
    csr = random_csr(3, 4, 4, 8, weighted=True)
    adj, x = Adjacency.sums(csr), torch.randn(4, 2)
    before = spmm(adj, x)
    csr.values[:] = 0
    torch.testing.assert_close(spmm(adj, x), before)
