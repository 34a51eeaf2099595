"""How long a row of equal pieces of work will still take, from those that are done and the one going on."""

from __future__ import annotations

import time
from collections.abc import Callable

_ENOUGH = 0.05  # share of the first piece from which it says something


class TimeLeft:
    """Estimates the rest from the mean time of finished pieces, or from the share of the first.

    Args:
        pieces: how many there are in all.
        clock: seconds, for tests.
    """

    def __init__(self, pieces: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._left, self._clock = pieces, clock
        self._worked, self._pieces = 0.0, 0
        self._began = clock()

    def begin(self) -> None:
        """The next piece begins."""
        self._began = self._clock()

    def end(self, *, worked: bool) -> None:
        """A piece has ended; one that was there already says nothing about the others."""
        self._left -= 1
        if worked:
            self._worked += self._clock() - self._began
            self._pieces += 1

    def seconds(self, share: float) -> float | None:
        """Seconds left when a share, in [0, 1], of the present piece is done; None while unknown."""
        spent = self._clock() - self._began
        if self._pieces:
            each = self._worked / self._pieces
            return max(0.0, each - spent, (1 - share) * each) + (self._left - 1) * each
        return spent / share * self._left - spent if share >= _ENOUGH else None


def duration(seconds: float) -> str:
    """About how long: 40 s, 12 min, 3 h 5 min."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
