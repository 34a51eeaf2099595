"""Progress of long work, told to whoever listens: a terminal's bars, Dagster's log, or nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """How far one piece of work has come.

    Attributes:
        work: what is being made, such as pretrain/encoder.
        text: what is happening, with figures.
        done: units done.
        total: units in all; 0 where unknown.
    """

    work: str
    text: str
    done: int
    total: int


Listener = Callable[[Step], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def tell(step: Step) -> None:
    """Tells the listener, if there is one."""
    listener = _listener.get()
    if listener is not None:
        listener(step)


def is_heard() -> bool:
    """Whether somebody listens."""
    return _listener.get() is not None


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Sends every `tell` inside to a listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
