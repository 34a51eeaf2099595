"""A request to stop: the training saves where it stands and ends in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from hier_dag.errors import TrainingError


class Interrupted(TrainingError):
    """Training was asked to stop, and did after saving a checkpoint."""

    code = "interrupted"


@contextmanager
def stop_on_sigterm() -> Iterator[Callable[[], bool]]:
    """Gives a function that says whether SIGTERM came; it no longer ends the process inside.

    Outside the main thread, which alone may take signals, it never says so.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def note(_: int, __: FrameType | None) -> None:
        asked.set()

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGTERM, before)
