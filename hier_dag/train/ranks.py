"""Data-parallel training: every rank holds the model and draws the same numbers; each works on its share.

Ranks see the same batches, gates and negatives, because all draw from random states that began alike. A
rank's gradient is that of its own pairs, and of its part of what is not a sum over pairs; the sum over ranks
is the gradient of one process at the same batch size, up to the order in which floats are added.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from hier_dag.model.formulation import WHOLE, Shard

_PATIENCE = timedelta(minutes=30)  # a rank may have to read a large graph before it joins the others


@dataclass(frozen=True)
class Ranks:
    """The processes of one training, as one of them sees them.

    Attributes:
        shard: which of them this is.
    """

    shard: Shard = WHOLE

    @property
    def first(self) -> bool:
        """Whether this is the rank that reports, saves and writes."""
        return self.shard.rank == 0

    @property
    def many(self) -> bool:
        """Whether there are others."""
        return self.shard.world > 1

    def threads(self, wanted: int) -> int:
        """CPU threads of one rank: those wanted, or its share of this machine's cores."""
        here = int(os.environ.get("LOCAL_WORLD_SIZE", self.shard.world)) if self.many else 1
        return wanted or max(1, (os.cpu_count() or 1) // here)

    def add_up(self, tensors: list[Tensor]) -> None:
        """Replaces tensors of one dtype and device by their sums over all ranks, in one message."""
        if not self.many or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        for tensor, total in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(total.view_as(tensor))

    def any(self, *flags: bool) -> list[bool]:
        """Which flags are set on any rank; all ranks must ask."""
        if not self.many:
            return [*flags]
        asked = _on_device([float(flag) for flag in flags])
        dist.all_reduce(asked)
        return [total > 0 for total in asked.tolist()]

    def as_first(self, *values: float) -> list[float]:
        """The values that the first rank has: what is decided by them is then decided alike everywhere."""
        if not self.many:
            return [*values]
        told = _on_device(values)
        dist.broadcast(told, src=0)
        return [float(value) for value in told.tolist()]


ALONE = Ranks()


def _on_device(values: Sequence[float]) -> Tensor:
    """Values as a float64 tensor where the ranks' messages go from."""
    return torch.tensor(values, dtype=torch.float64, device="cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def joined() -> Iterator[Ranks]:
    """Joins the ranks that torch's launcher started; outside it there is one process, alone."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1 or "RANK" not in os.environ:
        yield ALONE
        return
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=_PATIENCE)
    try:
        yield Ranks(Shard(dist.get_rank(), world))
    finally:
        dist.destroy_process_group()
