"""What pre-training reports while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from hier_dag.progress import Step

_SECONDS_BETWEEN = 0.3


@dataclass(frozen=True)
class Progress:
    """Where pre-training stands.

    Attributes:
        epoch: 1-based.
        epochs: epochs at most.
        step: 1-based, within the epoch.
        steps: steps of an epoch.
        loss: weighted loss of the step, or its mean over the epoch at an epoch's end.
        ndcg: latest NDCG@10 on the source validation split, or None before the first.
        interactions_per_s: training pairs a second in this epoch.
        open_paths: share of intent-exemplar gates that are open.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    ndcg: float | None
    interactions_per_s: float
    open_paths: float


def as_step(p: Progress) -> Step:
    """Where pre-training stands, in the words that people read."""
    ndcg = "" if p.ndcg is None else f", validation NDCG@10 {p.ndcg:.4f}"
    text = f"epoch {p.epoch}/{p.epochs}, loss {p.loss:.3f}{ndcg}, {p.interactions_per_s:,.0f} pairs/s"
    done = (p.epoch - 1) * p.steps + p.step
    return Step("pretrain/encoder", text, done, p.epochs * p.steps)


class Throttle:
    """Passes progress on a few times a second at most.

    Args:
        receiver: called with each report that is passed on; None drops them all.
    """

    def __init__(self, receiver: Callable[[Progress], None] | None) -> None:
        self._receiver = receiver
        self._last = 0.0

    @property
    def ready(self) -> bool:
        """Whether a report would be passed on now: lets the loop skip making one."""
        return self._receiver is not None and time.monotonic() - self._last >= _SECONDS_BETWEEN

    def __call__(self, progress: Progress, *, last: bool = False) -> None:
        """Passes one on if it is time; the last report of a training always."""
        if self._receiver is not None and (last or self.ready):
            self._last = time.monotonic()
            self._receiver(progress)
