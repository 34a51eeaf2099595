"""Ends a process that does not end by itself, and all that it started."""

import contextlib
import os
import signal
from collections import defaultdict
from pathlib import Path

_PROCESSES = Path("/proc")


def kill_tree(pid: int) -> None:
    """Kills a process of ours with every process below it; where there is no /proc, that process alone.

    The ranks of a training are leaders of sessions of their own, so that no process group has them all.
    """
    for one in (pid, *_below(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def _below(pid: int) -> list[int]:
    children = defaultdict(list)
    for file in _PROCESSES.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            # `pid (name) state parent …`; a name may hold anything.
            parent = file.read_bytes().rpartition(b")")[2].split()[1]
            children[int(parent)].append(int(file.parent.name))
    found, left = [], [pid]
    while left:
        below = children[left.pop()]
        found += below
        left += below
    return found
