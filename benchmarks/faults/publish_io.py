"""Every write, flush, rename and new file of a publication fails in turn: row 2 of the faults.

    python -m benchmarks.faults.publish_io [--json]

The calls of one publication (at home and at one copy) are taken down first; then, call by call, the same
publication meets ENOSPC, EIO or a short write there. Readers must go on with the set before (or, where the
alias had moved already, have one of the two whole), the error must name the path, and the same again must
succeed. Mutants of the code that swallow errors show what the sweep would see. The registry's own file is
written by SQLite in C and is not part of this.
"""

from __future__ import annotations

import argparse
import builtins
import errno
import io
import json
import os
import re
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.faults.published_sets import DOMAIN, Site, gaps, table, what_is_wrong
from hier_dag import durable
from hier_dag.errors import HierError
from hier_dag.publish.mirror import copy_set
from hier_dag.publish.reader import open_set

ENOSPC, EIO, SHORT = "ENOSPC", "EIO", "short write"
_RANDOM = re.compile(r"(?<=-)[0-9a-f]{32}(?=[./]|$)|(?<=\.)[0-9]+\.[0-9a-f]{8}(?=\.tmp)")
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
            first, now = self.failing, call == self.failing
            lasts = first is not None and bool(self.at) and kind in ("write", "open", "mkdir")
            again = lasts and first is not None and (kind, path) == (first.kind, first.path)
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


@dataclass(frozen=True)
class Verdict:
    """What became of a publication that met a fault.

    Attributes:
        call: that failed.
        fault: how.
        outcome: `refused`, or `whole` where it went on and nothing was lost.
        typed: whether the error was one of ours, with a fix.
        moved: whether the alias had moved before.
        problems: what must not be.
        error: in words.
    """

    call: Call
    fault: str
    outcome: str
    typed: bool
    moved: bool
    problems: tuple[str, ...]
    error: str


class Sweep:
    """A place where version 1 is live, and the calls that publishing version 2 makes.

    Args:
        folder: for it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        site = self._site("base")
        site.publish(site.workshop(), 1)
        site = self._copied()
        with watched(Disk(folder / "a case")) as disk:
            self._publish(site)
        self.calls = list(dict.fromkeys(disk.calls))

    def cases(self, faults: tuple[str, ...] = (ENOSPC, EIO, SHORT)) -> list[tuple[Call, str]]:
        """Every call with every fault that it can have."""
        return [(c, f) for c in self.calls for f in faults if f != SHORT or c.kind == "write"]

    def verdict(self, call: Call, fault: str) -> Verdict:
        """Publishes version 2 with one fault, looks at what readers see, then publishes it again."""
        site = self._copied()
        error: Exception | None = None
        with watched(Disk(self.folder / "a case", call, fault)) as disk:
            try:
                self._publish(site)
            except Exception as raised:
                error = raised
        head = site.registry().alias(DOMAIN)
        moved = head is not None and head.version == 2
        problems = [*self._unnamed(error, disk), *self._unread(site, error, moved)]
        if error is None and fault != SHORT and not _harmless(call):
            problems.append("the error was swallowed")
        try:
            if self._publish(site) != 2:
                problems.append("the same again did not end as version 2")
            problems += [*gaps(site), *self._unread(site, None, True)]
        except Exception as raised:
            problems.append(f"the same again failed: {raised}")
        typed = isinstance(error, HierError) and bool(error.fix)
        outcome = "whole" if error is None else "refused"
        return Verdict(call, fault, outcome, typed, moved, tuple(problems), str(error or ""))

    def _site(self, name: str) -> Site:
        return Site(self.folder / name / "town", (str(self.folder / name / "copy"),))

    def _copied(self) -> Site:
        shutil.rmtree(self.folder / "a case", ignore_errors=True)
        shutil.copytree(self.folder / "base", self.folder / "a case", symlinks=True)
        return self._site("a case")

    @staticmethod
    def _publish(site: Site) -> int:
        workshop = site.workshop()
        try:
            return site.publish(workshop, 2).row.version
        finally:
            workshop.registry.close()

    @staticmethod
    def _unnamed(error: Exception | None, disk: Disk) -> list[str]:
        if not disk.at:
            return ["the call did not come"]
        if error is None or any(path in str(error) for path in disk.at):
            return []
        return [f"the error does not name {disk.at[-1]}: {error}"]

    @staticmethod
    def _unread(site: Site, error: Exception | None, moved: bool) -> list[str]:
        """What readers saw and must not: a torn set, the new one too early, the old one too late."""
        found = []
        for root in site.roots():
            try:
                answer = open_set(root, DOMAIN)
                allowed = {1} if not moved else {2} if error is None else {1, 2}
                if (mistake := what_is_wrong(answer)) is not None:
                    found.append(mistake)
                elif answer.version not in allowed:
                    found.append(f"version {answer.version} answers")
            except Exception as raised:
                found.append(f"a reader failed: {raised}")
        return found


def _harmless(call: Call) -> bool:
    """A note of use that could not be made (`renew`) is none that a publication depends on."""
    return call.kind == "open" and call.path.endswith("store/.lock")


def _swallowing(function: Callable[..., Any]) -> Callable[..., Any]:
    def quiet(*args: Any, **named: Any) -> Any:
        with suppress(OSError, HierError):
            return function(*args, **named)

    return quiet


MUTANTS = {
    "flushes swallow errors": ("hier_dag.durable.sync_file", _swallowing(durable.sync_file)),
    "files being hashed swallow errors": ("hier_dag.publish.writing.HashedFile._check", lambda self: None),
    "records swallow errors": ("hier_dag.publish.aliases.replace_file", _swallowing(durable.replace_file)),
    "copies swallow errors": ("hier_dag.pipeline.publication.copy_set", _swallowing(copy_set)),
}
"""What is put in place of a function, by what is wrong with it."""


def summary(verdicts: list[Verdict]) -> list[dict[str, Any]]:
    """Rows of the table, by kind of call and fault."""
    rows = []
    for kind in ("open", "write", "fsync", "rename", "mkdir", "link"):
        for fault in (ENOSPC, EIO, SHORT):
            some = [v for v in verdicts if (v.call.kind, v.fault) == (kind, fault)]
            if some:
                outcomes = Counter(v.outcome for v in some)
                rows.append(
                    {
                        "call": kind, "fault": fault, "cases": len(some), "refused": outcomes["refused"],
                        "with a fix": sum(v.typed for v in some), "whole": outcomes["whole"],
                        "after the alias moved": sum(v.moved for v in some if v.outcome == "refused"),
                        "problems": sum(bool(v.problems) for v in some),
                    }
                )  # fmt: skip
    return rows


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sweep = Sweep(Path(folder))
        verdicts = [sweep.verdict(*case) for case in sweep.cases()]
        mutants = []
        for name, (function, mutated) in MUTANTS.items():
            with mock.patch(function, mutated):
                found = [sweep.verdict(*case) for case in sweep.cases((EIO,))]
            wrong = [v for v in found if v.problems]
            mutants.append({"mutant": name, "cases": len(found), "caught in": len(wrong)})
    rows = summary(verdicts)
    bad = [(v.fault, v.call, v.problems) for v in verdicts if v.problems]
    if arguments.json:
        print(json.dumps({"calls": len(sweep.calls), "sweep": rows, "mutants": mutants}, indent=1))
    else:
        print(f"{len(sweep.calls)} calls\n\n{table(rows)}\n\n{table(mutants)}")
    for line in bad:
        print(*line)


if __name__ == "__main__":
    main()
