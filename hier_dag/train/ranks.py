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

from hier_dag.errors import ConfigError
from hier_dag.model.formulation import WHOLE, Shard
from hier_dag.train.cores import cores
from hier_dag.train.seeding import pick_device

_PATIENCE = timedelta(minutes=30)  # a rank may have to read a large graph before it joins the others


@dataclass(frozen=True)
class Ranks:
    """The processes of one training, as one of them sees them.

    Attributes:
        shard: which of them this is.
        device: kind of device that they train on, and that their messages go from.
        share_tables: whether each holds some rows of the tables instead of all.
    """

    shard: Shard = WHOLE
    device: str = "cpu"
    share_tables: bool = False

    @property
    def first(self) -> bool:
        """Whether this is the rank that reports, saves and writes."""
        return self.shard.rank == 0

    @property
    def many(self) -> bool:
        """Whether there are others."""
        return self.shard.world > 1

    @property
    def sharing(self) -> int:
        """How many processes share the tables; 1 where each holds them whole."""
        return self.shard.world if self.share_tables else 1

    def threads(self, wanted: int) -> int:
        """CPU threads of one rank: those wanted, or its share of the cores that there are."""
        here = int(os.environ.get("LOCAL_WORLD_SIZE", self.shard.world)) if self.many else 1
        return wanted or max(1, cores() // here)

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
        asked = self._message([float(flag) for flag in flags])
        dist.all_reduce(asked)
        return [total > 0 for total in asked.tolist()]

    def as_first(self, *values: float) -> list[float]:
        """The values that the first rank has: what is decided by them is then decided alike everywhere."""
        if not self.many:
            return [*values]
        told = self._message(values)
        dist.broadcast(told, src=0)
        return [float(value) for value in told.tolist()]

    def _message(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.device)


ALONE = Ranks()


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """Joins the ranks that torch's launcher started; outside it there is one process, alone.

    Args:
        device: as declared, `auto`, `cpu` or `cuda`: nccl joins GPUs, gloo CPUs.

    Raises:
        ConfigError: this machine has fewer GPUs than ranks.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1 or "RANK" not in os.environ:
        yield ALONE
        return
    kind = pick_device(device).type
    if kind == "cuda":
        local, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= there:
            raise ConfigError(
                f"rank {local} has no GPU of its own: this machine has {there}.",
                column="trainer.processes",
                fix="declare no more processes than GPUs, or stages.pretrain.device: cpu",
            )
        torch.cuda.set_device(local)
    dist.init_process_group("nccl" if kind == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield Ranks(Shard(dist.get_rank(), world), kind)
    finally:
        dist.destroy_process_group()
