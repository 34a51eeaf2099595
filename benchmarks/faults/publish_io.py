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
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.faults.failing_disk import EIO, ENOSPC, SHORT, Call, Disk, watched
from benchmarks.faults.published_sets import DOMAIN, Site, gaps, table, what_is_wrong
from hier_dag import durable
from hier_dag.errors import HierError
from hier_dag.publish.mirror import copy_set
from hier_dag.publish.reader import open_set


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
