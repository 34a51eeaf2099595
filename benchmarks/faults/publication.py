"""Publication that is killed at named points and at random times while a reader polls: row 1 of the faults.

    python -m benchmarks.faults.publication [--each 25] [--random 500] [--json]

A process publishes a set, at home and at one copy, and is killed (SIGKILL) at the point; the same is then run
again, without a kill, and must end as the next version. After every second kill a clean-up that spares
nothing new comes first. SIGKILL leaves the page cache: what a power cut takes is not part of this.
"""

from __future__ import annotations

import argparse
import json
import os
import pkgutil
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.faults.published_sets import CONTEXT, DOMAIN, Site, Watch, gaps, table, what_is_wrong
from hier_dag.config import load_config
from hier_dag.home import Home
from hier_dag.publish.reader import open_set
from hier_dag.retention.collect import collect
from hier_dag.retention.keep import Rules
from hier_dag.retention.plan import Retention

KEEP = 3
DECLARATION = """\
platform: town
domains:
  shop: {role: source, sources: {path: shop.csv, columns: {user_id: u, item_id: i}}}
  cafe: {role: target, sources: {path: cafe.csv, columns: {user_id: u, item_id: i}}}
stages: {publish: {copies: [COPY]}}
"""


@dataclass(frozen=True)
class Point:
    """A place in a publication: before or after the nth call of a function with `within` in its arguments."""

    name: str
    function: str
    after: bool = False
    nth: int = 1
    within: str = ""


_STORE, _REGISTRY = "hier_dag.store.local", "hier_dag.registry.registry.Registry"
POINTS = [
    Point("the first file is begun", "hier_dag.publish.files.write_vectors"),
    Point("the items are written, not flushed", "hier_dag.publish.writing.HashedFile.finish", nth=2),
    Point("the index is written", "hier_dag.publish.files.write_index", after=True),
    Point("all files are written", f"{_STORE}.ArtifactStore.commit"),
    Point("the manifest is written, not flushed", f"{_STORE}.sync_tree"),
    Point("flushed, not renamed", "os.rename", within="artifacts"),
    Point("renamed, its folder not flushed", "os.rename", after=True, within="artifacts"),
    Point("committed, not on record", f"{_REGISTRY}.record"),
    Point("on record", f"{_REGISTRY}.record", after=True),
    Point("one file of the copy is written", "shutil.copyfile", after=True),
    Point("the copy is written, not renamed", "os.rename", nth=2, within="artifacts"),
    Point("copied, the alias not moved", f"{_REGISTRY}.move_alias"),
    Point("in the transaction that moves the alias", "hier_dag.registry.aliases.move", after=True),
    Point("the alias is moved, without a record", f"{_REGISTRY}.move_alias", after=True),
    Point("the record is written, not renamed", "os.replace", within="/live/"),
    Point("the record is there, its folder not flushed", "os.replace", after=True, within="/live/"),
    Point("the copy's record is written, not renamed", "os.replace", nth=2, within="/live/"),
    Point("the copy's record is there", "os.replace", after=True, nth=2, within="/live/"),
]


def new_site(folder: Path) -> Site:
    """A place with one copy, where version 1 is live."""
    site = Site(folder / "town", (str(folder / "copy"),))
    site.publish(site.workshop(), 1)
    (folder / "domains.yaml").write_text(DECLARATION.replace("COPY", site.copies[0]))
    return site


def left_behind(site: Site) -> Counter[str]:
    """What ended processes left: staged folders with their locks, temporary records, sets on no record."""
    known = site.registry()
    roots = [Path(root) for root in site.roots()]
    return Counter(
        staged=sum(1 for root in roots for _ in (root / "store" / "staging").iterdir()),
        temporary=sum(1 for root in roots for _ in (root / "live").glob("*/*/.*")),
        unrecorded=sum(
            known.artifact(p.name) is None for p in (site.home / "store" / "artifacts").glob("*/*/*")
        ),
    )


def clean_up(site: Site) -> None:
    """What `hier gc --delete --older-than 0` does."""
    config = load_config(site.home.parent / "domains.yaml")
    rules = Rules(KEEP, timedelta(0))
    collect(Retention(config, Home(site.home), site.registry(), rules), datetime.now(UTC))


def lost(site: Site) -> list[str]:
    """Versions that must be there, for readers and for a roll-back, and do not answer as they should."""
    history = site.registry().alias_history(DOMAIN)
    told = open_set(site.home, DOMAIN).version
    found = []
    for version in (row.version for row in history[:KEEP] if row.version <= told):
        try:
            mistake = what_is_wrong(open_set(site.home, DOMAIN, version=version))
        except Exception as error:
            mistake = f"version {version}: {error!r}"
        found += [] if mistake is None else [mistake]
    return found


class Tally:
    """Figures of a row of kills."""

    def __init__(self) -> None:
        self.kills = self.good = 0
        self.before: Counter[str] = Counter()
        self.after: Counter[str] = Counter()
        self.lost: list[str] = []

    def killed(self, site: Site, mark: int) -> None:
        """After a kill: every second time a clean-up, then the same again."""
        self.kills += 1
        if self.kills % 2 == 0:
            self.before += left_behind(site)
            clean_up(site)
            self.after += left_behind(site)
            self.lost += lost(site)
        row = site.publish(site.workshop(), mark).row
        self.good += row.version == mark and what_is_wrong(open_set(site.home, DOMAIN)) is None

    def row(self, name: str, watch: Watch, site: Site) -> dict[str, Any]:
        """A row of the table."""
        seen = watch.found()
        clean_up(site)
        return {
            "killed when": name, "kills": self.kills, "reruns good": self.good, "gaps": len(gaps(site)),
            "reads": seen.reads, "versions read": seen.versions, "torn or mixed": len(seen.wrong),
            "failed reads": len(seen.failed), "left: staged, temporary, unrecorded": _three(self.before),
            "after one clean-up": _three(self.after), "at the end": _three(left_behind(site)),
            "live ones lost": len(self.lost),
            "words": [*seen.wrong, *seen.failed, *self.lost, *gaps(site)][:3],
        }  # fmt: skip


def _three(found: Counter[str]) -> str:
    return ", ".join(str(found[name]) for name in ("staged", "temporary", "unrecorded"))


def killed_at(name: str, points: Sequence[Point], folder: Path) -> dict[str, Any]:
    """Kills one publication after another, each at its point."""
    site, tally = new_site(folder), Tally()
    with Watch(site) as watch:
        for mark, point in enumerate(points, start=2):
            process = CONTEXT.Process(target=_publish_up_to, args=(site, mark, point))
            process.start()
            process.join()
            if process.exitcode != -signal.SIGKILL:
                raise RuntimeError(f"a publication did not come by: {point.name} ({process.exitcode})")
            tally.killed(site, mark)
    return tally.row(name, watch, site)


def _publish_up_to(site: Site, mark: int, point: Point) -> None:
    workshop = site.workshop()
    with mock.patch(point.function, _deadly(point)):
        site.publish(workshop, mark)


def _deadly(point: Point) -> Callable[..., Any]:
    real = pkgutil.resolve_name(point.function)
    left = iter(range(point.nth - 1, -1, -1))

    def call(*args: Any, **more: Any) -> Any:
        fatal = point.within in str(args) and next(left, None) == 0
        if fatal and not point.after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = real(*args, **more)
        if fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return call


def killed_at_random(kills: int, folder: Path, rng: random.Random) -> dict[str, Any]:
    """Kills a process that publishes set after set, within about two publications."""
    site, tally, mark = new_site(folder), Tally(), 1
    with Watch(site) as watch:
        while tally.kills < kills:
            ours, theirs = CONTEXT.Pipe(duplex=False)
            process = CONTEXT.Process(target=_publish_on, args=(site, mark + 1, theirs))
            process.start()
            theirs.close()
            mark = ours.recv()
            time.sleep(rng.uniform(0, 0.3))
            os.kill(int(process.pid or 0), signal.SIGKILL)
            process.join()
            while ours.poll():
                try:
                    mark = ours.recv()
                except EOFError:
                    break
            tally.killed(site, mark)
    return tally.row("at random times", watch, site)


def _publish_on(site: Site, mark: int, pipe: Connection) -> None:
    workshop = site.workshop()
    while True:
        pipe.send(mark)
        site.publish(workshop, mark)
        mark += 1


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--each", type=int, default=25, help="kills at each named point")
    parser.add_argument("--random", type=int, default=500, help="kills at random times")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, point in enumerate(POINTS if arguments.each else []):
            rows.append(killed_at(point.name, [point] * arguments.each, Path(folder, str(number))))
        rng, left = random.Random(arguments.seed), arguments.random
        while left > 0:  # histories of some hundred versions, as a platform has them
            some = min(left, 100)
            rows.append(killed_at_random(some, Path(folder, f"random {left}"), rng))
            left -= some
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    print(table([{name: value for name, value in row.items() if name != "words"} for row in rows]))
    print("\n".join(str(row["words"]) for row in rows if row["words"]))


if __name__ == "__main__":
    main()
