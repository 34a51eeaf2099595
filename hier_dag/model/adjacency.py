"""A fixed sparse matrix as torch tensors, in every layout that message passing needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from hier_dag.graph.csr import CSR

if TYPE_CHECKING:
    from hier_dag.model.row_sums import Pieces


class Adjacency(nn.Module):
    """diag(scale) · W: rows × cols, moved between devices like any module, without parameters.

    A plain mean keeps unit entries and divides afterwards (`scale`), because unit entries have the
    faster kernel on CPU; weights are stored only where entries differ.

    Args:
        indptr: int64 [rows + 1].
        indices: int64 [nnz].
        cols: number of columns.
        weights: float32 [nnz], or None where every entry counts 1.
        scale: float32 [rows] factor of each row, or None for 1.
    """

    indptr: Tensor
    indices: Tensor
    weights: Tensor | None
    scale: Tensor | None

    def __init__(
        self,
        indptr: Tensor,
        indices: Tensor,
        cols: int,
        weights: Tensor | None = None,
        scale: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.cols = cols
        for name, tensor in (
            ("indptr", indptr),
            ("indices", indices),
            ("weights", weights),
            ("scale", scale),
        ):
            self.register_buffer(name, tensor, persistent=False)
        self._cache: dict[str, Any] = {}

    @classmethod
    def sums(cls, csr: CSR) -> Adjacency:
        """Aggregation by (weighted) sum over each row's entries."""
        return cls(*_tensors(csr))

    @classmethod
    def means(cls, csr: CSR) -> Adjacency:
        """Aggregation by (weighted) mean over each row's entries; an empty row gives zero."""
        indptr, indices, cols, weights = _tensors(csr)
        if csr.values is None:
            total = csr.degrees().astype(np.float32)
        else:
            total = np.bincount(csr.row_of_entry(), weights=csr.values, minlength=csr.rows).astype(np.float32)
        scale = np.divide(1, total, out=np.zeros_like(total), where=total > 0)
        return cls(indptr, indices, cols, weights, torch.from_numpy(scale))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    @property
    def nnz(self) -> int:
        """Number of stored entries."""
        return len(self.indices)

    def degrees(self) -> Tensor:
        """Entries in each row, int64 [rows]."""
        return self.indptr.diff()

    def row_of_entry(self) -> Tensor:
        """Row of every entry, int64 [nnz]."""
        if self._cached("row") is None:
            rows = torch.arange(self.rows, device=self.indices.device)
            self._cache["row"] = torch.repeat_interleave(rows, self.degrees(), output_size=self.nnz)
        return self._cache["row"]

    def select(self, rows: Tensor) -> Adjacency:
        """The sub-matrix of some rows, in the order given; costs only their entries.

        Args:
            rows: int64 [m].
        """
        start, count = self.indptr[rows], self.degrees()[rows]
        indptr = torch.zeros(len(rows) + 1, dtype=torch.int64, device=rows.device)
        torch.cumsum(count, 0, out=indptr[1:])
        total = int(indptr[-1])
        shift = torch.repeat_interleave(start - indptr[:-1], count, output_size=total)
        entry = torch.arange(total, device=rows.device) + shift
        weights = None if self.weights is None else self.weights[entry]
        scale = None if self.scale is None else self.scale[rows]
        return Adjacency(indptr, self.indices[entry], self.cols, weights, scale)

    def relabelled(self, place: Tensor, cols: int) -> Adjacency:
        """The same entries in other columns.

        Args:
            place: int64 [this matrix's cols], new column of each that occurs.
            cols: number of new columns.
        """
        return Adjacency(self.indptr, place[self.indices], cols, self.weights, self.scale)

    def transposed(self) -> tuple[Tensor, Tensor, Tensor]:
        """(indptr [cols + 1], indices [nnz], order [nnz]) of the transpose; computed once.

        `order` says which entry of this matrix each entry of the transpose is.
        """
        if self._cached("transpose") is None:
            order = torch.argsort(self.indices, stable=True)
            indptr = torch.zeros(self.cols + 1, dtype=torch.int64, device=order.device)
            torch.cumsum(torch.bincount(self.indices, minlength=self.cols), 0, out=indptr[1:])
            self._cache["transpose"] = (indptr, self.row_of_entry()[order], order)
        return self._cache["transpose"]

    def transposed_weights(self) -> Tensor | None:
        """`weights` in the order of the transpose, float32 [nnz] or None; computed once."""
        if self.weights is None:
            return None
        if self._cached("transposed_weights") is None:
            self._cache["transposed_weights"] = self.weights[self.transposed()[2]]
        return self._cache["transposed_weights"]

    def pieces(self) -> Pieces | None:
        """How rows are cut for the sums of CUDA; computed once."""
        if self._cached("pieces") is None:
            from hier_dag.model.row_sums import cut

            self._cache["pieces"] = (cut(self.indptr, self.nnz),)
        return self._cache["pieces"][0]

    def transposed_pieces(self) -> Pieces | None:
        """The same of the transpose."""
        if self._cached("transposed_pieces") is None:
            from hier_dag.model.row_sums import cut

            self._cache["transposed_pieces"] = (cut(self.transposed()[0], self.nnz),)
        return self._cache["transposed_pieces"][0]

    def running_weights(self) -> Tensor:
        """Summed weights before each entry and after the last, float64 [nnz + 1]; computed once.

        Only of a matrix with weights.
        """
        if self._cached("running") is None:
            assert self.weights is not None
            # On CPU, once: CUDA adds floats up in no fixed order.
            running = torch.zeros(self.nnz + 1, dtype=torch.float64)
            torch.cumsum(self.weights.cpu(), 0, dtype=torch.float64, out=running[1:])
            self._cache["running"] = running.to(self.weights.device)
        return self._cache["running"]

    def dgl_block(self) -> Any:
        """The DGL block whose in-edges of node r are row r's entries, in this order (CPU only)."""
        if self._cached("dgl") is None:
            from hier_dag.graph.dgl_compat import dgl

            csc = ("csc", (self.indptr, self.indices, torch.empty(0, dtype=torch.int64)))
            self._cache["dgl"] = dgl.create_block(csc, num_src_nodes=self.cols, num_dst_nodes=self.rows)
        return self._cache["dgl"]

    def _cached(self, name: str) -> Any:
        if self._cache.get("device") != self.indices.device:
            self._cache = {"device": self.indices.device}
        return self._cache.get(name)


def _tensors(csr: CSR) -> tuple[Tensor, Tensor, int, Tensor | None]:
    weights = None if csr.values is None else torch.tensor(csr.values)
    # Copies: DGL shares memory with what it is given, and the caller's arrays must stay its own.
    return torch.tensor(csr.indptr), torch.tensor(csr.indices), csr.cols, weights
