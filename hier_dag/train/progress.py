"""What pre-training reports while it runs."""

from __future__ import annotations

import math
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
        seconds_left: to the last epoch's end at the rate so far; early stopping may end it sooner.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    ndcg: float | None
    interactions_per_s: float
    open_paths: float
    seconds_left: float


def as_step(p: Progress) -> Step:
    """Where pre-training stands, in the words that people read: what matters most first.

    The rate is one of pairs alone. A step goes through all neighbour and content edges once and through the
    history of its users, whatever the batch: edges a second would grow as batches shrink and training slows.
    """
    ndcg = "" if p.ndcg is None else f", NDCG@10 {p.ndcg:.4f}"
    left = f", {duration(p.seconds_left)} left" if p.seconds_left else ""
    rate = f", {p.interactions_per_s:,.0f} pairs/s"
    text = f"epoch {p.epoch}/{p.epochs}, loss {p.loss:.3f}{ndcg}{left}{rate}"
    done = (p.epoch - 1) * p.steps + p.step
    return Step("pretrain/encoder", text, done, p.epochs * p.steps)


def duration(seconds: float) -> str:
    """Seconds in the two largest units that matter, rounded up: 45 s, 1 min 20 s, 2 h 5 min."""
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


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
