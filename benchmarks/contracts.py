"""What all contracts together cost: ingest and knowledge graph of a sample platform, with them and without.

    python benchmarks/contracts.py --events 10000000 [--repeats 3] [--json]

The same logs (no faulty rows, so that both ways keep the same rows) are built by turns with every contract
and with none: no row rules, no audits, no expectations, no shapes, no leakage certificate, no comparison of
ledgers. Casting, deduplication, numbering, writing and committing are the same both ways. It also times
validation alone: all contracts of a domain's canonical events, in events a second.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import ibis
import pyarrow.parquet as pq

from hier_dag.builds import events as events_build
from hier_dag.builds import graph as graph_build
from hier_dag.builds import links as links_build
from hier_dag.config import PlatformConfig, load_config
from hier_dag.graph import build as graph_writer
from hier_dag.home import SAMPLE_DOMAINS
from hier_dag.ingest import canonical
from hier_dag.ingest.connection import connect
from hier_dag.pipeline.requests import events_request, graph_request, links_request
from hier_dag.pipeline.stages import EVENTS
from hier_dag.pipeline.workshop import Workshop
from hier_dag.registry import Registry
from hier_dag.sample.generate import generate
from hier_dag.sample.params import SampleParams
from hier_dag.store import ArtifactStore
from schemas.audits import audit_events
from schemas.expectations.verdict import Verdict

CONTRACTS = [  # where each is called from, its name, what it is called in the table
    (events_build, "audit_events", "row schema of events"),
    (events_build, "ask_of_events", "profile, drift, expectations"),
    (links_build, "audit_links", "row schema of links"),
    (graph_writer, "node_hashes", "leakage certificate: hashes"),
    (graph_writer, "certify", "leakage certificate"),
    (graph_build, "check_entered", "ledgers compared"),
    (graph_build, "judge_graph", "graph contract: integrity, shapes, structure, drift"),
    (graph_build, "_heterograph", "heterograph"),
]


def nothing(name: str) -> Callable[..., Any]:
    """What stands in for a contract that is switched off."""
    certificate = SimpleNamespace(write=lambda out: (out / "leakage.json").write_text('{"in_both": 0}'))
    answers = {
        "audit_events": [],
        "audit_links": [],
        "ask_of_events": Verdict(),
        "certify": certificate,
        "judge_graph": SimpleNamespace(checks=[], profile=None, advisory=frozenset()),
    }
    return lambda *_, **__: answers.get(name)


def no_rules(_: Any) -> dict[str, ibis.Value]:
    """The verdict of no rule at all: every row is valid."""
    text = ibis.null("string")
    return {"reason": text, "column": text, "reasons": ibis.null("array<string>")}


@contextlib.contextmanager
def contracts(on: bool, spent: dict[str, float]) -> Iterator[None]:
    """Every contract timed, or every contract switched off."""
    with contextlib.ExitStack() as stack:
        for module, name, title in CONTRACTS:
            real = getattr(module, name)
            stands = timed(real, title, spent) if on else nothing(name)
            stack.enter_context(mock.patch.object(module, name, stands))
        if not on:
            stack.enter_context(mock.patch.object(canonical, "verdict", no_rules))
            stack.enter_context(mock.patch.object(events_build, "warm_up", nothing("warm_up")))
        yield


def timed(work: Callable[..., Any], title: str, spent: dict[str, float]) -> Callable[..., Any]:
    """The same work, its processor seconds added up: other work on the machine does not count."""

    def run(*args: Any, **kwargs: Any) -> Any:
        began = time.process_time()
        try:
            return work(*args, **kwargs)
        finally:
            spent[title] = spent.get(title, 0.0) + time.process_time() - began

    return run


def build(config: PlatformConfig, folder: Path) -> tuple[float, float, Workshop]:
    """Ingest of every domain and the links, then the graph, each committed: seconds of both."""
    workshop = Workshop(ArtifactStore(folder / "store"), Registry(f"sqlite:///{folder / 'registry.db'}"))
    engine = partial(connect, folder / "scratch")
    began = time.perf_counter()
    for domain in config.domains:
        workshop.make(
            events_request(config, domain),
            lambda r, s, d=domain: events_build.build_events(config, d, r, s, workshop, engine),
            run_id="benchmark",
        )
    workshop.make(
        links_request(config), lambda r, s: links_build.build_links(config, r, s, engine), run_id="benchmark"
    )
    ingested = time.perf_counter()
    workshop.make(
        graph_request(config, workshop.registry),
        lambda r, s: graph_build.build_graph(config, r, s, workshop, engine),
        run_id="benchmark",
    )
    return ingested - began, time.perf_counter() - ingested, workshop


def validation_rate(config: PlatformConfig, workshop: Workshop, scratch: Path) -> tuple[int, float]:
    """Events of all domains, and the seconds that the contract of canonical events takes on them."""
    rows, seconds = 0, 0.0
    for domain in config.domains:
        files = workshop.open(EVENTS, str(workshop.registry.latest(EVENTS, domain))).files("events/")
        with connect(scratch) as con:
            began = time.perf_counter()
            assert not audit_events(con, files)
            seconds += time.perf_counter() - began
        rows += sum(pq.read_metadata(f).num_rows for f in files)
    return rows, seconds


def measure(events: int, users: int, repeats: int) -> dict[str, Any]:
    """Both ways by turns, medians."""
    ingest: dict[bool, list[float]] = {True: [], False: []}
    total: dict[bool, list[float]] = {True: [], False: []}
    cpu: dict[bool, list[float]] = {True: [], False: []}
    parts: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder, "logs"), SampleParams(users=users, events=events, dirty=0.0))
        with mock.patch.dict(os.environ, {"HIER_DATA": str(Path(folder, "logs"))}):
            config = load_config(SAMPLE_DOMAINS)
        import great_expectations  # noqa: F401  a worker imports it once; its cost is told apart

        for turn in range(repeats):
            for on in (False, True):
                spent: dict[str, float] = {}
                with tempfile.TemporaryDirectory(dir=folder) as state, contracts(on, spent):
                    began = time.process_time()
                    ingest_s, graph_s, workshop = build(config, Path(state))
                    cpu[on].append(time.process_time() - began)
                    if on and turn == repeats - 1:
                        rows, checked = validation_rate(config, workshop, Path(state, "scratch"))
                ingest[on].append(ingest_s)
                total[on].append(ingest_s + graph_s)
                if on:
                    parts.append(spent)
    without, with_all = (statistics.median(total[on]) for on in (False, True))
    in_ingest = statistics.median(ingest[True]) - statistics.median(ingest[False])
    return {
        "events": events,
        "cores": os.cpu_count(),
        "repeats": repeats,
        "without_s": round(without, 2),
        "with_s": round(with_all, 2),
        "added": round(with_all / without - 1, 4),
        "cpu_without_s": round(statistics.median(cpu[False]), 2),
        "cpu_with_s": round(statistics.median(cpu[True]), 2),
        "cpu_added": round(statistics.median(cpu[True]) / statistics.median(cpu[False]) - 1, 4),
        "ingest_without_s": round(statistics.median(ingest[False]), 2),
        "ingest_with_s": round(statistics.median(ingest[True]), 2),
        "events_per_added_s": round(events / in_ingest) if in_ingest > 0 else None,
        "parts_cpu_s": {
            title: round(statistics.median(p.get(title, 0.0) for p in parts), 2) for _, _, title in CONTRACTS
        },
        "validated_events": rows,
        "validated_per_s": round(rows / checked),
    }


def main() -> None:
    """Prints the cost of the contracts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--users", type=int, default=400_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    result = measure(arguments.events, arguments.users, arguments.repeats)
    if arguments.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{result['events']:,} events, {result['cores']} cores, medians of {result['repeats']}:")
    print(
        f"  without contracts {result['without_s']} s, with all {result['with_s']} s: {result['added']:+.1%}"
    )
    print(f"  CPU: {result['cpu_without_s']} s and {result['cpu_with_s']} s: {result['cpu_added']:+.1%}")
    for title, took in result["parts_cpu_s"].items():
        print(f"    {title}: {took} s")
    if result["events_per_added_s"]:
        print(f"  events through all contracts of ingest: {result['events_per_added_s']:,} events/s")
    rate = f"{result['validated_per_s']:,} events/s over {result['validated_events']:,} events"
    print(f"  contract of canonical events alone: {rate}")


if __name__ == "__main__":
    main()
