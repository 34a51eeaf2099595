"""How fast questions of the audit are answered on a long history, on SQLite and on Postgres.

    python -m benchmarks.questions [--events 100000] [--times 20] [--database sqlite postgres] [--json]
    python -m benchmarks.questions --home .hier/sample [--times 20]

The first fills a registry (`benchmarks.long_history`: 50 domains, a file and a version a day each) and asks
every question so many times; first times count. `down` and `impact` follow the first day's file of a source
to everything made of it since, and a file of links to all that there is. The second asks `hier why` for ids
of every published set of a platform, each with a store that has checked nothing yet, and once for all ids.
`command_s` are the median and the longest of the whole command, with the start of Python, run five times.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.publishers import new_database, postgres
from benchmarks.long_history import PLATFORM, History, fill
from hier_dag.cli.places import live_of
from hier_dag.home import Home
from hier_dag.lineage.chain import chain_of, runs_of
from hier_dag.lineage.difference import difference
from hier_dag.lineage.environments import environments_of
from hier_dag.lineage.impact import impact
from hier_dag.lineage.reference import named
from hier_dag.lineage.release import release_of
from hier_dag.lineage.trace import trace
from hier_dag.lineage.why import Lineage, Why, why
from hier_dag.pipeline.stages import EVENTS, PUBLISHED
from hier_dag.publish.reader.records import VersionRecord
from hier_dag.registry import Registry
from hier_dag.store import ArtifactStore

_COMMANDS = 5
_DECLARATION = """\
platform: {platform}
domains:
  domain_00: {{role: source, sources: {{path: a.csv}}}}
  domain_10: {{role: target, sources: {{path: b.csv}}}}
"""


def main() -> None:
    """Asks and prints."""
    args = _arguments()
    if args.home:
        rows = list(_whys(args.home, args.times))
    else:
        rows = [row for database in args.database for row in _measured(database, args.events, args.times)]
    if args.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


def _measured(database: str, events: int, times: int) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="hier-questions-") as folder:
        home = Home(Path(folder) / PLATFORM)
        home.root.mkdir()
        url = new_database(postgres()) if database == "postgres" else f"sqlite:///{home.root / 'registry.db'}"
        registry = Registry(url, platform=PLATFORM)
        began = time.perf_counter()
        history = fill(registry, events)
        stores = {PLATFORM: _shelved(home, history)}
        yield {
            "database": database, "events": history.events, "artifacts": registry.count(),
            "days": history.days, "filled_s": round(time.perf_counter() - began, 1),
        }  # fmt: skip
        declaration = Path(folder) / "domains.yaml"
        declaration.write_text(_DECLARATION.format(platform=PLATFORM), encoding="utf-8")
        environment = {
            **os.environ, "HIER_HOME": folder, "HIER_REGISTRY": url, "HIER_DOMAINS": str(declaration)
        }  # fmt: skip
        for what, ask, command in _questions(registry, stores, history):
            told = {"database": database, "question": what, **_timed(ask, times)}
            yield told | ({"command_s": _command(command, environment)} if command else {})


def _questions(
    registry: Registry, stores: dict[str, ArtifactStore], history: History
) -> Iterator[tuple[str, Callable[[], Any], list[str]]]:
    target, source, last = history.targets[0], history.domains[0], history.days
    live, oldest = history.latest[PUBLISHED, target], history.artifacts[EVENTS][0]
    first, newest = history.file(source, 0), history.file(source, last - 1)
    draw = random.Random(0)
    digests = [draw.choice(draw.choice(list(history.artifacts.values()))) for _ in range(1_000)]
    many = iter(digests * 100)

    def registry_part_of_why() -> None:
        version = VersionRecord(target, "live", last, live, "publish", "same", None, "nightly", "", "")
        chain = chain_of(registry, live)
        release_of(registry, version, history.artifacts["finetune/model"][-1])
        environments_of(registry, [a["environment"] for a in chain])
        runs_of(registry, [a["run_id"] for a in chain])

    def compare(one: int, other: int) -> Callable[[], Any]:
        return lambda: difference(
            registry, stores, named(registry, f"{target}@{one}"), named(registry, f"{target}@{other}")
        )

    yield "a digest by its first 12 digits", lambda: named(registry, next(many)[:12]), []
    yield "a set by DOMAIN@VERSION", lambda: named(registry, f"{target}@{last // 2}"), []
    yield "why, the registry's part", registry_part_of_why, []
    up = ["audit", "trace", target]
    yield "trace --up, a live set", lambda: trace(registry, stores, live, up=True), up
    down = ["audit", "trace", oldest[:12], "--down"]
    yield "trace --down, events of the first day", lambda: trace(registry, stores, oldest, up=False), down
    beside = ["audit", "diff", f"{target}@{last - 1}", target]
    yield "diff, two versions in a row", compare(last - 1, last), beside
    apart = ["audit", "diff", f"{target}@1", target]
    yield "diff, the first and the last version", compare(1, last), apart

    def follow(file: str) -> tuple[Callable[[], Any], list[str]]:
        return lambda: impact(registry, stores, file), ["audit", "impact", file]

    yield "impact, the first file, by location", *follow(first["location"])
    yield "impact, the first file, by SHA-256", *follow(first["sha256"][:10])
    yield "impact, the newest file", *follow(newest["location"])
    yield "impact, a file of links: all that ever was", *follow(history.file("links", 0)["location"])
    ask, command = follow(first["location"])
    yield (
        "impact, the first file, all of it as JSON",
        lambda: json.dumps(ask().as_json(), indent=1),
        [*command, "--json"],
    )


def _whys(root: Path, times: int) -> Iterator[dict[str, Any]]:
    """`hier why` for ids of every set that a platform has live."""
    home = Home(root.resolve())
    registry = Registry(home.registry_url, platform=home.platform)
    for folder in sorted(home.live.glob("*/live")):
        domain, live = folder.parent.name, live_of(home, folder.parent.name)
        lineage = Lineage(ArtifactStore(home.store), registry, live)
        began = time.perf_counter()
        swept = [
            sum(1 for _ in lineage.of(ids, role)) for role in ("user", "item") if (ids := lineage.ids(role))
        ]
        seconds = time.perf_counter() - began
        draw = random.Random(0)
        drawn = draw.choices([(role, i) for role in ("user", "item") for i in lineage.ids(role)], k=times)
        told = _timed(_asking(home, registry, live, drawn), times)
        id = lineage.ids("user")[0]
        environment = {**os.environ, "HIER_HOME": str(home.root.parent)}
        with tempfile.TemporaryDirectory(prefix="hier-questions-") as scratch:
            bundle = ["audit", "bundle", domain, "--out", str(Path(scratch) / "bundle.zip")]
            yield {
                "domain": domain, "ids": sum(swept), "all_of_them_s": round(seconds, 2), **told,
                "command_s": _command(["why", domain, id], environment),
                "card_s": _command(["audit", "card", domain], environment),
                "bundle_s": _command(bundle, environment),
            }  # fmt: skip


def _asking(
    home: Home, registry: Registry, live: VersionRecord, drawn: list[tuple[str, str]]
) -> Callable[[], Any]:
    """Asks why one vector after the other is as it is."""
    wanted = iter(drawn)

    def ask() -> Why:
        role, one = next(wanted)
        return why(ArtifactStore(home.store), registry, live, one, role)

    return ask


def _shelved(home: Home, history: History) -> ArtifactStore:
    """A store that has a folder for every artifact; they are empty, nothing opens them."""
    for kind, digests in history.artifacts.items():
        for digest in digests:
            (home.store / "artifacts" / kind / digest).mkdir(parents=True)
    return ArtifactStore(home.store)


def _timed(ask: Callable[[], Any], times: int) -> dict[str, float]:
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - began)
    return {"p50_ms": round(1e3 * float(np.median(seconds)), 1), "max_ms": round(1e3 * max(seconds), 1)}


def _command(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    command, seconds = [sys.executable, "-m", "hier_dag.cli.app", *arguments], []
    for _ in range(_COMMANDS):
        began = time.perf_counter()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - began)
    return round(float(np.median(seconds)), 2), round(max(seconds), 2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument(
        "--database", nargs="+", choices=("sqlite", "postgres"), default=["sqlite", "postgres"]
    )
    parser.add_argument("--home", type=Path, help="a platform's state, to ask hier why there")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
