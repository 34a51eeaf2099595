"""How many cores this process may use: a pod of two cores on a node of 64 has two."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS, _MINE = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def cores(cgroups: Path = _CGROUPS, mine: Path = _MINE) -> int:
    """The least of what the scheduler lets this process run on and what its control groups grant it.

    Args:
        cgroups: where control groups are mounted (Linux): version 2 there, version 1 in `cpu` or
            `cpu,cpuacct` below.
        mine: names the groups of this process, a line each.

    Returns:
        At least 1; a quota of a part of a core counts as a whole one.
    """
    # macOS does not say what a process may run on.
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([here, *(math.ceil(quota) for quota in _quotas(cgroups, mine))]))


def _quotas(cgroups: Path, mine: Path) -> Iterator[float]:
    """Cores granted by each group that this process is in, outer ones included; none where unlimited."""
    for line in _text(mine).splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            yield from (q for group in _outward(cgroups, path) for q in _version_2(group))
        elif "cpu" in controllers.split(","):
            for mount in ("cpu", "cpu,cpuacct"):
                yield from (q for group in _outward(cgroups / mount, path) for q in _version_1(group))


def _outward(mount: Path, path: str) -> Iterator[Path]:
    """A group and all that it is in. Inside a container its path is often that of the node, not there."""
    group = Path(path.lstrip("/"))
    yield from (mount / part for part in (group, *group.parents) if ".." not in part.parts)


def _version_2(group: Path) -> Iterator[float]:
    quota, _, period = _text(group / "cpu.max").partition(" ")
    if quota.isdigit():  # else `max`
        yield int(quota) / int(period)


def _version_1(group: Path) -> Iterator[float]:
    quota, period = (_text(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period"))
    if quota.isdigit() and period.isdigit():  # else -1
        yield int(quota) / int(period)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
