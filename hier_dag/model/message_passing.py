"""Message passing behind two functions, with a DGL and a torch back end proven equal in the tests.

Which one runs is decided by device and weights. Medians on 2 CPU threads, forward + backward, d = 64, at
138 k and 2 M entries: unit entries 3.2 and 56 ms with DGL, 3.0 and 55 ms with torch; weighted entries 25
and 667 ms with DGL, 3.5 and 69 ms with torch. So DGL sums unit entries on CPU and torch does everything
else. PyPI's DGL has no CUDA: there torch's rows are summed by a kernel of our own (`row_sums`), or by the
vendor's sparse product where Triton is not installed. `benchmarks/kernels.py` compares both with other
libraries.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

from hier_dag.model.adjacency import Adjacency

if TYPE_CHECKING:
    from hier_dag.model.row_sums import Pieces

Backend = Literal["dgl", "torch"]

# Torch announces once that CSR tensors are in beta; what is used of them here is covered by tests.
warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")

# Entries whose (entries × d) products are held at once in the gradient of edge weights: 64 MiB at d = 64.
_CHUNK = 1 << 18


def spmm(adj: Adjacency, x: Tensor, backend: Backend | None = None) -> Tensor:
    """diag(scale) · W · x: each row's (weighted) sum or mean of its neighbours' vectors.

    Args:
        adj: rows × cols matrix, without gradient.
        x: float32 [cols, d].
        backend: forces one; by default the faster one for the device and the weights.

    Returns:
        float32 [rows, d].
    """
    backend = backend or ("dgl" if x.device.type == "cpu" and adj.weights is None else "torch")
    out = _dgl_sum(adj, x, adj.weights) if backend == "dgl" else _CsrSum.apply(x, None, adj)
    return out if adj.scale is None else out * adj.scale[:, None]


def attend(adj: Adjacency, scores: Tensor, x: Tensor, backend: Backend | None = None) -> Tensor:
    """Σ_t softmax_t(scores) · x_t over each row's entries; an empty row gives zero.

    `adj.weights` and `adj.scale` play no part. By default torch on every device: its weighted sum is the
    faster one (8.6 against 36 ms at 138 k entries).

    Args:
        adj: rows × cols pattern.
        scores: float32 [nnz], with gradient.
        x: float32 [cols, d], with gradient.
        backend: forces one.

    Returns:
        float32 [rows, d].
    """
    if backend == "dgl":
        import dgl.ops as ops

        return _dgl_sum(adj, x, ops.edge_softmax(adj.dgl_block(), scores[:, None]))
    return _CsrSum.apply(x, _edge_softmax(adj, scores), adj)


def _edge_softmax(adj: Adjacency, scores: Tensor) -> Tensor:
    row = adj.row_of_entry()
    top = scores.new_full((adj.rows,), -torch.inf).scatter_reduce(0, row, scores.detach(), "amax")
    exp = torch.exp(scores - top[row])
    total = exp.new_zeros(adj.rows).index_add(0, row, exp)
    return exp / total[row]


def _dgl_sum(adj: Adjacency, x: Tensor, weights: Tensor | None) -> Tensor:
    block = adj.dgl_block()
    import dgl.ops as ops

    if weights is None:
        return ops.copy_u_sum(block, x)
    return ops.u_mul_e_sum(block, x, weights.reshape(-1, 1))


class _CsrSum(Function):
    """W · x with an adjacency's pattern, and its own weights or others, which may need gradients as x may."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weights: Tensor | None, adj: Adjacency) -> Tensor:
        ctx.adj = adj
        # The vectors are only needed again for the gradient of weights.
        ctx.save_for_backward(*(() if weights is None else (x, weights)))
        own = adj.weights if weights is None else weights
        return _matmul(adj.indptr, adj.indices, own, adj.cols, x, adj.pieces)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        grad, adj = grads[0].contiguous(), ctx.adj
        to_x = to_weights = None
        if ctx.needs_input_grad[0]:
            indptr, indices, order = adj.transposed()
            own = ctx.saved_tensors[1][order] if ctx.saved_tensors else adj.transposed_weights()
            to_x = _matmul(indptr, indices, own, adj.rows, grad, adj.transposed_pieces)
        if ctx.needs_input_grad[1]:
            to_weights = _products(adj, grad, ctx.saved_tensors[0])
        return to_x, to_weights, None


def _matmul(
    indptr: Tensor,
    indices: Tensor,
    weights: Tensor | None,
    cols: int,
    x: Tensor,
    pieces: Callable[[], Pieces | None],
) -> Tensor:
    """Each row's (weighted) sum, float [rows, d]."""
    if x.device.type == "cpu" and cols:
        # A bag of embeddings is a row: twice as fast as the sparse product, which needs weights besides.
        return F.embedding_bag(
            indices, x.contiguous(), indptr, mode="sum", include_last_offset=True, per_sample_weights=weights
        )
    if x.device.type == "cuda" and _triton_is_here():
        from hier_dag.model.row_sums import sum_rows

        return sum_rows(indptr, indices, weights, x, pieces())
    weights = x.new_ones(len(indices)) if weights is None else weights
    size = (len(indptr) - 1, cols)
    return torch.sparse_csr_tensor(indptr, indices, weights, size=size, check_invariants=False) @ x


@cache
def _triton_is_here() -> bool:
    return find_spec("triton") is not None


def _products(adj: Adjacency, left: Tensor, right: Tensor) -> Tensor:
    """left[row] · right[column] of every entry, float [nnz]."""
    # Torch refuses a pattern of more entries than places, which repeated entries can make.
    if left.device.type == "cpu" and adj.nnz <= adj.rows * adj.cols:
        size = (adj.rows, adj.cols)
        pattern = torch.sparse_csr_tensor(
            adj.indptr, adj.indices, left.new_zeros(adj.nnz), size=size, check_invariants=False
        )
        return torch.sparse.sampled_addmm(pattern, left, right.T).values()
    pairs = zip(adj.row_of_entry().split(_CHUNK), adj.indices.split(_CHUNK), strict=True)
    return torch.cat([(left[r] * right[c]).sum(-1) for r, c in pairs] or [left.new_zeros(0)])
