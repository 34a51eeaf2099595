"""Tables whose rows ranks share: each holds its own, with their moments, and asks the others for the rest.

Every rank meets other rows in a step. All learn which rows any of them meets; whoever holds one contributes
it, and a sum over ranks gives all of them to all. Gradients come back the same way. What a rank holds beside
its rows is as large as what a step meets, so that tables larger than one device can be trained.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd import Function

from hier_dag.model.formulation import Formulation
from hier_dag.model.neighbourhood import places
from hier_dag.train.ranks import Ranks

_PIECE = 1 << 16  # rows in one message


def met_by_any(n: int, numbers: Tensor) -> Tensor:
    """Every number that some rank has, ascending, int64. All ranks must ask.

    Args:
        n: all are below it.
        numbers: int64, this rank's.
    """
    there = torch.zeros(n, dtype=torch.uint8, device=numbers.device)
    there[numbers] = 1
    dist.all_reduce(there, dist.ReduceOp.MAX)
    return there.nonzero().flatten()


def add_up_rows(table: nn.Parameter) -> None:
    """Replaces the sparse gradient of a table that every rank holds whole by its sum over ranks."""
    assert table.grad is not None
    gradient = table.grad.coalesce()
    mine = gradient.indices()[0]
    rows = met_by_any(len(table), mine)
    total = table.new_zeros(len(rows), *table.shape[1:])
    total[places(len(table), rows)[mine]] = gradient.values()
    dist.all_reduce(total)
    table.grad = torch.sparse_coo_tensor(rows[None], total, table.shape, is_coalesced=True)


class SharedTables:
    """Keeps this rank's rows of a model's tables, and gives a step those of all.

    Args:
        model: whole and alike on every rank; its tables shrink to this rank's rows.
        ranks: all of them; more than one.
    """

    def __init__(self, model: Formulation, ranks: Ranks) -> None:
        self._ranks = ranks
        names = {id(p): name for name, p in model.named_parameters()}
        self._sizes = [len(table) for table in model.tables]
        self._numbers = {names[id(table)]: n for n, table in enumerate(model.tables)}
        self._of = {id(table): n for n, table in enumerate(model.tables)}
        for number, table in enumerate(model.tables):
            table.data = table.data[self._own(number)].clone()
        model.rows = self.rows

    def rows(self, table: Tensor, numbers: Tensor) -> Tensor:
        """Rows of a whole table by their numbers in it, float [m, d]. All ranks must ask.

        Args:
            table: this rank's part of it, one of the model's.
            numbers: int64 [m], each once.
        """
        number = self._of[id(table)]
        return _Rows.apply(table, numbers, self._sizes[number], self._own(number))

    def add_up(self, total: Tensor) -> Tensor:
        """Adds up a figure of each rank's own rows."""
        dist.all_reduce(total)
        return total

    def gathered(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Tensors with whole tables, on the first rank's CPU; nothing on the others. All ranks must ask.

        Args:
            tensors: by the names of a state dict, or of the optimiser's moments; in one order on all ranks.
        """
        out = {}
        for name, tensor in tensors.items():
            number = self._number(name, tensor)
            whole = tensor.cpu() if number is None else self._whole(tensor, number)
            if whole is not None:
                out[name] = whole
        return out if self._ranks.first else {}

    def mine(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """The inverse of `gathered`: tables are cut to this rank's rows, whatever ranks they came from."""
        out = {}
        for name, tensor in tensors.items():
            number = self._number(name, tensor)
            out[name] = tensor if number is None else tensor[self._own(number)].clone()
        return out

    def _own(self, number: int) -> slice:
        return self._part(number, self._ranks.shard.rank)

    def _part(self, number: int, rank: int) -> slice:
        n, world = self._sizes[number], self._ranks.shard.world
        return slice(n * rank // world, n * (rank + 1) // world)

    def _number(self, name: str, tensor: Tensor) -> int | None:
        """Which table a tensor belongs to: a parameter, or moments of its rows."""
        if name in self._numbers:
            return self._numbers[name]
        part, _, rest = name.partition("/")
        return int(rest.split("/")[0]) if part == "tables" and tensor.dim() > 1 else None

    def _whole(self, part: Tensor, number: int) -> Tensor | None:
        if not self._ranks.first:
            for piece in part.split(_PIECE):
                dist.send(piece.contiguous(), dst=0)
            return None
        whole = torch.empty(self._sizes[number], *part.shape[1:], dtype=part.dtype)
        whole[self._own(number)] = part.cpu()
        for rank in range(1, self._ranks.shard.world):
            at = self._part(number, rank)
            for start in range(at.start, at.stop, _PIECE):
                stop = min(at.stop, start + _PIECE)
                piece = part.new_empty(stop - start, *part.shape[1:])
                dist.recv(piece, src=rank)
                whole[start:stop] = piece.cpu()
        return whole


class _Rows(Function):
    """Rows from whoever holds them; their gradients go back there, summed over ranks."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, numbers: Tensor, n: int, own: slice) -> Tensor:
        rows = met_by_any(n, numbers)
        here = ((rows >= own.start) & (rows < own.stop)).nonzero().flatten()
        at = places(n, rows)[numbers]
        found = table.new_zeros(len(rows), *table.shape[1:])
        found[here] = table.detach()[rows[here] - own.start]
        dist.all_reduce(found)
        ctx.save_for_backward(rows, here, at)
        ctx.start, ctx.shape = own.start, table.shape
        return found[at]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        rows, here, at = ctx.saved_tensors
        total = grads[0].new_zeros(len(rows), *grads[0].shape[1:])
        total[at] = grads[0]
        dist.all_reduce(total)
        gradient = torch.sparse_coo_tensor(
            (rows[here] - ctx.start)[None], total[here], ctx.shape, is_coalesced=True
        )
        return gradient, None, None, None
