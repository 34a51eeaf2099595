"""Ctrl-C, or a signal to `hier` alone: what is done is kept, and the exit code says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from hier_dag.cli.app import STOPPED
from hier_dag.cli.output import err

if TYPE_CHECKING:
    from hier_dag.orchestration.runner import Done


@contextmanager
def resumable() -> Iterator[None]:
    """Ends the command with `STOPPED` and tells how to go on where an interrupt comes between steps."""
    try:
        yield
    except KeyboardInterrupt:
        raise stopped() from None


def end_if_cancelled(results: Sequence[Done]) -> None:
    """Likewise where a step was cancelled.

    Raises:
        typer.Exit: with `STOPPED`.
    """
    if any(done.outcome == "cancelled" for done in results):
        raise stopped()


def stopped() -> typer.Exit:
    """Says how to go on; gives what ends the command."""
    err.print("Stopped. What is done is kept: the same command goes on from here.", style="yellow")
    return typer.Exit(STOPPED)
