"""Waits for another process that trains the same encoder: what that one does need not be done twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hier_dag.errors import Busy, Interrupted
from hier_dag.train.lock import is_held

PATIENCE = 600.0  # seconds without a checkpoint after which the other one is taken for stuck
_LOOK_AGAIN = 1.0  # seconds
_MISSED = 3  # checkpoints


def wait_for_turn(
    folder: Path,
    every: float,
    tell: Callable[[str], None],
    stop: Callable[[], bool] | None = None,
    patience: float = PATIENCE,
) -> None:
    """Returns at once, or when the other process has ended before its training did.

    Args:
        folder: of the training's checkpoints.
        every: seconds between them.
        tell: told now and then that it waits.
        stop: asked whether to stop waiting.
        patience: seconds without a checkpoint that it waits at least.

    Raises:
        Busy: the other one is done, so that its result is there; or it has saved nothing for so long.
        Interrupted: `stop` said so.
    """
    patience = max(patience, _MISSED * every)
    waited, saved, since = False, _saved(folder), time.monotonic()
    while is_held(folder):
        waited = True
        if stop is not None and stop():
            raise Interrupted(
                "stopped as asked while another process trained the same encoder; nothing was done",
                fix="run it again",
            )
        if saved != (saved := _saved(folder)):
            since = time.monotonic()
        if time.monotonic() - since > patience:
            raise Busy(
                "another process holds the training of the same encoder, and has saved nothing for "
                f"{patience:g} s",
                file=str(folder),
                fix="end that process: the next run goes on from its last checkpoint",
            )
        tell("waits for another process that trains the same encoder")
        time.sleep(_LOOK_AGAIN)
    if waited and not folder.is_dir():
        raise Busy("another process has trained the same encoder", fix="a retry, or the next run, finds it")


def _saved(folder: Path) -> float:
    """When a checkpoint was last written, seconds since 1970; 0 before the first."""
    with suppress(FileNotFoundError):
        return folder.stat().st_mtime
    return 0.0
