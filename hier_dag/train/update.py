"""One update of the weights: gradients over as many parts of a batch as memory asks for, checked, applied."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

import torch
from torch import Tensor

from hier_dag.errors import NotFinite, TrainingError
from hier_dag.model.formulation import Batch, Formulation, Shard
from hier_dag.train.optimizer import Optimizer
from hier_dag.train.params import PretrainParams
from hier_dag.train.ranks import ALONE, Ranks
from hier_dag.train.shared_tables import SharedTables, add_up_rows

_SMALLEST_PART = 16  # pairs; below that it is not the batch that is too large
_CPU_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory")


class Updater:
    """Makes updates, one a call.

    Args:
        model: its parameters are updated in place.
        params: learning rates, weights of the terms, clipping.
        steps: steps of an epoch.
        ranks: the processes that share each batch; all must make every update.
        tables: of ranks that share them.

    Attributes:
        parts: how many parts a batch is worked through in; doubled where memory is short. The update is of
            the whole batch all the same: gradients of the parts add up by their share of its pairs.
    """

    def __init__(
        self,
        model: Formulation,
        params: PretrainParams,
        steps: int,
        ranks: Ranks = ALONE,
        tables: SharedTables | None = None,
    ) -> None:
        self.model, self.params, self.parts, self.ranks = model, params, 1, ranks
        self.tables = tables
        add_up = None if tables is None else tables.add_up
        self.optimizer = Optimizer(model, params, steps * params.epochs, add_up)

    def __call__(self, batch: Batch, epoch: int, step: int) -> dict[str, float]:
        """One update; returns the weighted loss and every unweighted term.

        Raises:
            NotFinite: naming epoch, step and terms; nothing was updated.
            TrainingError: memory is too short for the smallest part of a batch.
        """
        values = self._added_up(self._gradients(batch, epoch, step))
        # Looked at after the ranks have met, so that all of them raise or none does.
        if not math.isfinite(values["loss"]):
            self.optimizer.zero_grad()
            raise _not_finite("the loss", epoch, step, values)
        if not torch.isfinite(self.optimizer.clip()):
            self.optimizer.zero_grad()
            raise _not_finite("the gradient", epoch, step, values)
        self.optimizer.step()
        return values

    def _gradients(self, batch: Batch, epoch: int, step: int) -> dict[str, float]:
        """Sums the parts' gradients; where memory is short, again with twice as many parts."""
        drawn = torch.get_rng_state()
        while True:
            self.optimizer.zero_grad()
            values: dict[str, float] = {}
            short = ""
            try:
                values = self._accumulate(batch)
            except (RuntimeError, MemoryError) as error:  # torch's own is a RuntimeError
                if not _is_out_of_memory(error):
                    raise
                short = str(error).splitlines()[0]
            # Outside the handler: its traceback holds what the failed attempt had allocated. Where one rank
            # is short of memory all work in more parts, so that they go on drawing the same numbers.
            if not self.ranks.any(bool(short))[0]:
                return values
            if len(batch.users) < 2 * self.parts * _SMALLEST_PART:
                raise _too_little_memory(short or "another rank is", epoch, step, batch, self.parts)
            self.parts *= 2
            torch.set_rng_state(drawn)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _added_up(self, values: dict[str, float]) -> dict[str, float]:
        """Gradients and values over all ranks."""
        if not self.ranks.many:
            return values
        parameters = self.optimizer.dense
        for p in parameters:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        for table in self.optimizer.tables if self.tables is None else ():
            add_up_rows(table)
        told = parameters[0].new_tensor(list(values.values()))
        self.ranks.add_up([*(p.grad for p in parameters if p.grad is not None), told])
        return dict(zip(values, told.tolist(), strict=True))

    def _accumulate(self, batch: Batch) -> dict[str, float]:
        sums: dict[str, float] = {}
        for part in parts_of(batch, self.parts):
            terms = self.model.losses(part, self.ranks.shard)
            loss = weighted(terms, self.params)
            share = len(part.users) / len(batch.users)
            # One transfer for all: each would wait for the device by itself.
            values = torch.stack([loss.detach(), *(t.detach() for t in terms.values())]).tolist()
            for name, value in zip(("loss", *terms), values, strict=True):
                sums[name] = sums.get(name, 0.0) + share * value
            (loss if share == 1 else share * loss).backward()
        return sums


def weighted(terms: dict[str, Tensor], params: PretrainParams) -> Tensor:
    """The training loss from its unweighted terms (hier.md, recommended).

    Args:
        terms: scalars rank, auxiliary, mi, exemplar, path, l2.
        params: holds their weights.
    """
    return (
        terms["rank"]
        + params.auxiliary_weight * terms["auxiliary"]
        + params.mi_weight * terms["mi"]
        + params.exemplar_weight * terms["exemplar"]
        + params.path_weight * terms["path"]
        + params.l2_weight * terms["l2"]
    )


def parts_of(batch: Batch, parts: int) -> Iterator[Batch]:
    """A batch in parts of about equal size, pairs in the same order; one part is the batch itself.

    Every part meets all negatives, so that a mean over pairs is the parts' means weighted by their sizes.
    """
    if parts == 1:
        yield batch
        return
    parts = min(parts, len(batch.users))
    for part in range(parts):
        yield batch.part(Shard(part, parts).rows(len(batch.users)))


def _is_out_of_memory(error: Exception) -> bool:
    said = str(error).lower()
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(
        words in said for words in _CPU_OUT_OF_MEMORY
    )


def _too_little_memory(said: str, epoch: int, step: int, batch: Batch, parts: int) -> TrainingError:
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
    else:
        page = os.sysconf("SC_PAGE_SIZE")
        free, total = (page * os.sysconf(name) for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"))
    return TrainingError(
        f"out of memory at epoch {epoch}, step {step}, although the batch of {len(batch.users):,} pairs was "
        f"worked through in {parts} parts: {said} ({free:,} of {total:,} bytes are free)",
        fix="lower stages.pretrain.dim or layers, give the worker more memory, or pre-train on fewer sources",
        detail={"epoch": epoch, "step": step, "parts": parts, "free_bytes": free, "total_bytes": total},
    )


def _not_finite(what: str, epoch: int, step: int, values: dict[str, float]) -> NotFinite:
    bad = [name for name, value in values.items() if name != "loss" and not math.isfinite(value)]
    cause = f" (terms: {', '.join(bad) or 'their sum'})" if what == "the loss" else ""
    return NotFinite(
        f"{what} is not finite at epoch {epoch}, step {step}{cause}",
        fix="lower stages.pretrain.learning_rate or raise temperature",
        detail={"epoch": epoch, "step": step, "terms": {k: str(v) for k, v in values.items()}},
    )
