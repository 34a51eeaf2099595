"""The CUDA kernel against a naive sum; Triton's interpreter runs it without a GPU (TRITON_INTERPRET=1)."""

import os

import numpy as np
import pytest
import torch

from hier_dag.graph.csr import from_coo

pytest.importorskip("triton", reason="Triton comes with torch's builds for CUDA")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
pytestmark = pytest.mark.skipif(
    DEVICE == "cpu" and os.environ.get("TRITON_INTERPRET") != "1", reason="no GPU, and not interpreted"
)


def skewed(rows, cols, nnz, weighted, seed=0):
    """Most entries are of few rows, scattered among rows with few or none."""
    rng = np.random.default_rng(seed)
    row = rng.permutation(rows)[(rows * rng.random(nnz) ** 6).astype(np.int64)]
    values = rng.random(nnz).astype(np.float32) + 0.1 if weighted else None
    return from_coo(row, rng.integers(0, cols, nnz), rows, cols, values=values)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    ("rows", "nnz", "d"), [(7, 40, 3), (40, 6000, 64), (40, 70_000, 64), (9, 70_000, 70), (5, 66_000, 16)]
)
def test_each_row_is_the_sum_of_its_entries_vectors(rows, nnz, d, weighted, dtype):
    from hier_dag.model.row_sums import cut, sum_rows

    csr = skewed(rows, 30, nnz, weighted)
    x = torch.randn(30, d, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(dtype)
    want = np.zeros((rows, d))
    values = np.ones(csr.nnz) if csr.values is None else csr.values
    np.add.at(want, csr.row_of_entry(), values[:, None] * x.double().numpy()[csr.indices])
    indptr, indices = (torch.tensor(array, device=DEVICE) for array in (csr.indptr, csr.indices))
    weights = None if csr.values is None else torch.tensor(csr.values, device=DEVICE)
    got = [sum_rows(indptr, indices, weights, x.to(DEVICE), cut(indptr, nnz)).cpu() for _ in range(2)]
    assert got[0].dtype == dtype
    assert torch.equal(*got)
    error = np.linalg.norm(got[0].double() - want) / np.linalg.norm(want)
    assert error < {torch.float32: 1e-6, torch.float64: 1e-12, torch.bfloat16: 4e-3}[dtype]


def test_pieces_cover_every_entry_once_and_are_short():
    from hier_dag.model.row_sums import PIECE, cut

    csr = skewed(50, 10, 70_000, weighted=False)
    pieces = cut(torch.tensor(csr.indptr), csr.nnz)
    count = np.ceil(csr.degrees() / PIECE).astype(int)
    assert pieces.first.tolist() == [0, *np.cumsum(count)]
    assert pieces.part.tolist() == [0, *np.cumsum(np.where(count > 1, count, 0))]
    rows = pieces.row[: pieces.first[-1]].tolist()
    assert rows == list(np.repeat(np.arange(50), count))
    assert set(pieces.row[pieces.first[-1] :].tolist()) <= {50}
    assert pieces.part[-1] <= 2 * (csr.nnz // PIECE)
