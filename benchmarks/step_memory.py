"""The most memory that a process holds in each of its steps, looked at from beside it every few milliseconds.

From beside it, because a step that keeps Python's lock would stop a thread of its own. Told apart are
anonymous pages, which are what a process needs, and pages of mapped files, which are the page cache's. Linux.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EVERY = 0.004  # seconds
_FIELDS = {"anonymous": "RssAnon", "mapped": "RssFile", "all": "VmRSS"}


class StepMemory:
    """Watches this process; steps may lie within others.

    Args:
        folder: whose disk's use is watched as well.

    Attributes:
        steps: by step, in the order in which they ended: `seconds`, those of its cores (`cpu`), and the most
            bytes beyond those at the start (`anonymous`, `mapped`, `all`; `disk`: of the folder's disk,
            whoever took them).
    """

    def __init__(self, folder: Path) -> None:
        self._beside = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.step_memory", str(os.getpid()), str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self._start = self._ask("+start")
        self.steps: dict[str, dict[str, float]] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Names what runs in the block; of a step that runs more than once, the most is kept."""
        self._ask(f"+{name}")
        began, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
            beyond = {what: most - self._start[what] for what, most in self._ask(f"-{name}").items()}
            before = self.steps.pop(name, {})
            self.steps[name] = {what: max(most, before.get(what, 0)) for what, most in beyond.items()}
            self.steps[name] |= {what: more + before.get(what, 0) for what, more in took.items()}

    def close(self) -> None:
        """Ends the process beside this one."""
        self._beside.communicate()

    def _ask(self, line: str) -> dict[str, int]:
        assert self._beside.stdin
        assert self._beside.stdout
        self._beside.stdin.write(line + "\n")
        return dict(json.loads(self._beside.stdout.readline()))


def _held(pid: str, folder: str) -> dict[str, int]:
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    status = {line[0].rstrip(":"): line[1] for line in lines if len(line) > 1}
    disk = os.statvfs(folder)
    used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
    return {what: int(status[name]) * 1024 for what, name in _FIELDS.items()} | {"disk": used}


def _watch(pid: str, folder: str) -> None:
    most: dict[str, dict[str, int]] = {}
    while True:
        asked = select.select([sys.stdin], [], [], _EVERY)[0]
        held = _held(pid, folder)
        for peaks in most.values():
            peaks.update({what: max(peaks[what], value) for what, value in held.items()})
        if asked:
            line = sys.stdin.readline().rstrip("\n")
            if not line:
                return
            if line[0] == "+":
                most[line[1:]] = held
            print(json.dumps(most.pop(line[1:]) if line[0] == "-" else held), flush=True)


if __name__ == "__main__":
    _watch(*sys.argv[1:])
