"""Sums of a sparse matrix's rows on CUDA, written in Triton; the order of adding is fixed.

A program sums one piece of one row, so that a long row (a popular item of a transpose) is shared by many;
what the pieces of a long row came to is added up by a second kernel. Nothing is added by atomics, as the
vendor's sparse product does: equal inputs give equal bits, and a resumed training its losses.

On one H200, against the sparse product of torch 2.11, d = 64: 2.3 times as fast on 5 M unit entries in even
rows, 1.7 times on 50 M; `benchmarks/gpu.py` measures it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

PIECE = 512  # entries
_SHORT = 1 << 16  # entries of a matrix that is not cut: that would take longer than its longest row
_COLUMNS = 64
# Entries that a program reads at once and the warps that it has, fastest of those tried: for many rows, and
# for the long row of a matrix that is not cut.
_MANY, _LONG = (8, 1), (16, 4)


class Pieces(NamedTuple):
    """How the rows of a matrix are cut, with shapes that are known without asking the device.

    Attributes:
        row: int64 [at least the pieces], each piece's row; the number of rows where there is no such piece.
        first: int64 [rows + 1], each row's first piece and the end.
        part: int64 [rows + 1], the same, counting pieces of rows that have several alone.
    """

    row: Tensor
    first: Tensor
    part: Tensor


def cut(indptr: Tensor, nnz: int) -> Pieces | None:
    """Cuts rows into pieces of at most `PIECE` entries; None where it is not worth it.

    Args:
        indptr: int64 [rows + 1].
        nnz: entries.
    """
    if nnz <= _SHORT:
        return None
    pieces = (indptr.diff() + (PIECE - 1)) // PIECE
    first, part = (torch.zeros_like(indptr) for _ in range(2))
    torch.cumsum(pieces, 0, out=first[1:])
    torch.cumsum(pieces * (pieces > 1), 0, out=part[1:])
    most = len(pieces) + nnz // PIECE
    row = torch.searchsorted(first, torch.arange(most, device=indptr.device), right=True) - 1
    return Pieces(row, first, part)


def sum_rows(
    indptr: Tensor, indices: Tensor, weights: Tensor | None, x: Tensor, pieces: Pieces | None
) -> Tensor:
    """Each row's (weighted) sum of the vectors that its entries name.

    Args:
        indptr: int64 [rows + 1].
        indices: int64 [nnz].
        weights: float [nnz], or None where every entry counts 1.
        x: float [cols, d]; added in float32, or in float64 where it is that.
        pieces: of `cut`.

    Returns:
        As x, [rows, d].
    """
    x = x.contiguous()
    rows, d = len(indptr) - 1, x.shape[1]
    out = x.new_empty(rows, d)
    if not (rows and d):
        return out
    columns = min(_COLUMNS, triton.next_power_of_2(d))
    blocks = triton.cdiv(d, columns)
    how: dict[str, Any] = {
        "d": d,
        "ADD": tl.float64 if x.dtype == torch.float64 else tl.float32,
        "COLUMNS": columns,
    }
    entries, warps = _LONG if pieces is None else _MANY
    whole = indptr if pieces is None else pieces.row
    n_parts = 0 if pieces is None else 2 * (len(indices) // PIECE)
    parts = torch.empty(
        n_parts, d, dtype=x.dtype if x.dtype == torch.float64 else torch.float32, device=x.device
    )
    _sum_pieces[(rows if pieces is None else len(pieces.row), blocks)](
        indptr, indices, x if weights is None else weights, x, out, parts,
        whole, whole if pieces is None else pieces.first, whole if pieces is None else pieces.part, rows,
        WEIGHTED=weights is not None, CUT=pieces is not None, PIECE=PIECE, ENTRIES=entries,
        num_warps=warps, **how,
    )  # fmt: skip
    if pieces is not None:
        _sum_parts[(rows, blocks)](parts, pieces.first, pieces.part, out, num_warps=1, **how)
    return out


@triton.jit
def _sum_pieces(
    indptr, indices, weights, x, out, parts, row_of, first_of, part_of, rows, d,
    WEIGHTED: tl.constexpr, CUT: tl.constexpr, PIECE: tl.constexpr, ENTRIES: tl.constexpr,
    ADD: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """A program a piece: written to `out` where it is its row's only one, else to `parts`."""
    piece = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = column < d
    row, nth = piece, piece * 0
    if CUT:
        row = tl.load(row_of + piece)
        there = row < rows
        nth = piece - tl.load(first_of + row, mask=there, other=0)
        start = tl.load(indptr + row, mask=there, other=0) + nth * PIECE
        stop = tl.minimum(start + PIECE, tl.load(indptr + row + 1, mask=there, other=0))
    else:
        start, stop = tl.load(indptr + row), tl.load(indptr + row + 1)
    total = tl.zeros([ENTRIES, COLUMNS], ADD)
    for at in range(start, stop, ENTRIES):
        entry = at + tl.arange(0, ENTRIES)
        mine = entry < stop
        source = tl.load(indices + entry, mask=mine, other=0)
        mask = mine[:, None] & inside[None, :]
        value = tl.load(x + source[:, None] * d + column[None, :], mask=mask, other=0).to(ADD)
        if WEIGHTED:
            value *= tl.load(weights + entry, mask=mine, other=0)[:, None].to(ADD)
        total += value
    added = tl.sum(total, 0)
    if CUT:
        part = tl.load(part_of + row, mask=there, other=0)
        several = tl.load(part_of + row + 1, mask=there, other=0) > part
        tl.store(out + row * d + column, added, mask=inside & there & (several == 0))
        tl.store(parts + (part + nth) * d + column, added, mask=inside & there & several)
    else:
        tl.store(out + row * d + column, added, mask=inside)


@triton.jit
def _sum_parts(parts, first_of, part_of, out, d, ADD: tl.constexpr, COLUMNS: tl.constexpr):
    """A program a row: those of several pieces add them up, those of none write zeros."""
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = column < d
    pieces = tl.load(first_of + row + 1) - tl.load(first_of + row)
    total = tl.zeros([COLUMNS], ADD)
    for part in range(tl.load(part_of + row), tl.load(part_of + row + 1)):
        total += tl.load(parts + part * d + column, mask=inside, other=0)
    tl.store(out + row * d + column, total, mask=inside & (pieces != 1))
