"""A request to stop: the training saves where it stands and ends in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SAVING_TAKES = 60  # seconds that processes that were told to stop may take to save
_SIGNALS = (signal.SIGTERM, signal.SIGINT)  # Dagster sends the second when a run is cancelled


@contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Gives a function that says whether SIGTERM or SIGINT came; neither ends the process inside.

    Outside the main thread, which alone may take signals, it never says so.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def note(_: int, __: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, note) for number in _SIGNALS}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
