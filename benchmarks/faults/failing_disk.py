"""A disk below one folder whose calls are taken down, and of which one fails: for this process alone."""

from __future__ import annotations

import builtins
import errno
import io
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

ENOSPC, EIO, SHORT = "ENOSPC", "EIO", "short write"
_RANDOM = re.compile(r"(?<=-)[0-9a-f]{32}(?=[./]|$)|(?<=\.)[0-9]+\.[0-9a-f]{8}(?=\.tmp)")
_LASTING = ("write", "open", "mkdir")
_CREATES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Call:
    """The nth call of a kind on a path; what is random in names is left out."""

    kind: str
    path: str
    nth: int


@dataclass
class Disk:
    """Takes down the calls below a folder, and lets one of them fail.

    A write or a new file that failed goes on failing on that path, as on a full disk; a flush fails once, as
    Linux tells it.

    Attributes:
        root: the folder.
        failing: the call that fails; None for none.
        fault: how it fails.
        calls: all calls so far.
        at: paths of the call that failed, once it has.
    """

    root: Path
    failing: Call | None = None
    fault: str = EIO
    calls: list[Call] = field(default_factory=list)
    at: tuple[str, ...] = ()
    _lock: Any = field(default_factory=threading.Lock)

    def fails(self, kind: str, *paths: Any) -> bool:
        """Takes a call down; whether it is the one to be cut short. Raises where it is to fail."""
        named = [os.fspath(p) for p in paths]
        if not named[-1].startswith(str(self.root)) or "registry.db" in named[-1]:
            return False
        path = _RANDOM.sub("*", named[-1].removeprefix(f"{self.root}/"))
        with self._lock:
            call = Call(kind, path, sum((c.kind, c.path) == (kind, path) for c in self.calls) + 1)
            self.calls.append(call)
            now = call == self.failing
            failed = None if self.failing is None else (self.failing.kind, self.failing.path)
            again = bool(self.at) and (kind, path) == failed and kind in _LASTING
            if now:
                self.at = tuple(named)
        if now and self.fault == SHORT:
            return True
        if now or (again and self.fault != SHORT):
            number = getattr(errno, self.fault)
            raise OSError(number, os.strerror(number), *_told(kind, named))
        return False


def _told(kind: str, paths: list[str]) -> tuple[Any, ...]:
    """What the system's own error says of the path: nothing where the call had a descriptor alone."""
    if kind in ("write", "fsync"):
        return ()
    return (paths[0],) if len(paths) == 1 else (paths[0], None, paths[1])


@contextmanager
def watched(disk: Disk) -> Iterator[Disk]:
    """Routes the calls of this process through a disk."""
    real = {name: getattr(os, name) for name in ("open", "write", "fsync", "fdatasync", "sendfile", "mkdir")}
    moves = {name: getattr(os, name) for name in ("rename", "replace", "link")}
    opened = io.open

    class Raw(io.FileIO):
        def write(self, data: Any) -> Any:
            if disk.fails("write", self.name):
                data = memoryview(data)[: max(1, len(data) // 2)]
            return super().write(data)

    def open_file(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        if not set(mode) & set("wxa") or isinstance(file, int):
            return opened(file, mode, *more, **named)
        disk.fails("open", file)
        raw = io.BufferedWriter(Raw(os.fspath(file), mode.replace("b", "").replace("t", "")))
        return raw if "b" in mode else io.TextIOWrapper(raw, encoding="utf-8")

    def open_fd(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & _CREATES:
            disk.fails("open", path)
        return int(real["open"](path, flags, *more, **named))

    def write(fd: int, data: Any) -> int:
        short = disk.fails("write", _path(fd))
        return int(real["write"](fd, memoryview(data)[: max(1, len(data) // 2)] if short else data))

    def sendfile(out: int, into: int, offset: int, count: int) -> int:
        short = disk.fails("write", _path(out))
        return int(real["sendfile"](out, into, offset, os.fstat(into).st_size // 2 if short else count))

    def sync(name: str) -> Callable[[int], None]:
        return lambda fd: (disk.fails("fsync", _path(fd)), real[name](fd))[1]

    def mkdir(path: Any, *more: Any, **named: Any) -> None:
        if not os.path.isdir(path):
            disk.fails("mkdir", path)
        real["mkdir"](path, *more, **named)

    def move(name: str) -> Callable[..., None]:
        return lambda a, b, **named: (disk.fails("rename", a, b), moves[name](a, b, **named))[1]

    with ExitStack() as stack:
        patched = {
            "open": open_fd, "write": write, "sendfile": sendfile, "mkdir": mkdir, "fsync": sync("fsync"),
            "fdatasync": sync("fdatasync"), **{name: move(name) for name in moves},
        }  # fmt: skip
        for name, function in patched.items():
            stack.enter_context(mock.patch.object(os, name, function))
        stack.enter_context(mock.patch.object(io, "open", open_file))
        stack.enter_context(mock.patch.object(builtins, "open", open_file))
        yield disk


def _path(fd: int) -> str:
    return os.readlink(f"/proc/self/fd/{fd}")
