"""Fills a registry with the history of a large platform: daily versions of many domains, for benchmarks.

Events and rows are made by the registry's own code (`Event`, `rows_of`) and written in bulk; each hash
follows from the event before, as in a registry that was written event by event. Each domain gets a file a
day, and reads all that it has; each day one graph, one encoder, and a model and a set of every target.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from hier_dag.digest import digest_of
from hier_dag.environment import environment, environment_digest, machine
from hier_dag.pipeline.request import plain
from hier_dag.pipeline.stages import CODE_VERSIONS, ENCODER, EVENTS, GRAPH, LINKS, MODEL, PUBLISHED
from hier_dag.registry import Event, Head, Registry
from hier_dag.registry.chain import ascii_json, hash_of
from hier_dag.registry.projections import (
    ALIAS,
    ARTIFACT,
    CHECKS,
    DECISION,
    ENVIRONMENT,
    REQUEST,
    RUN,
    rows_of,
)
from hier_dag.registry.tables import DetailRecord, EventRecord
from hier_dag.train.params import PretrainParams
from hier_dag.transfer.params import TransferParams

PLATFORM = "history"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
COMMITS = 12
"""Commits of the code, one after the other."""
_BATCH = 2_000  # events a transaction
_CHECKS = ("contract", "row_schema", "conservation", "finite", "no_leakage", "expectations")


@dataclass
class History:
    """What is on record so far.

    Attributes:
        domains: sources first.
        sources: how many of them are sources.
        days: versions of each.
        latest: digest of the newest artifact, by kind and domain.
        artifacts: digests by kind, in order.
        events: how many events were written.
    """

    domains: list[str]
    sources: int
    days: int
    latest: dict[tuple[str, str | None], str] = field(default_factory=dict)
    artifacts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    events: int = 0

    @property
    def targets(self) -> list[str]:
        """Domains that sets are published for."""
        return self.domains[self.sources :]

    def file(self, domain: str, day: int) -> dict[str, Any]:
        """The raw file of a domain and day, as manifests name it."""
        location = f"logs/{domain}/{(BEGAN + timedelta(days=day)).date()}.parquet"
        return {
            "location": location,
            "sha256": _sha(location),
            "bytes": 1_400_000 + day,
            "format": "parquet",
            "source": 0,
            "domain": domain,
        }


def fill(registry: Registry, events: int, domains: int = 50, sources: int = 10) -> History:
    """Writes days until there are as many events.

    Args:
        registry: a new one.
        events: how many at least.
        domains: how many.
        sources: how many of them are sources.
    """
    history = History([f"domain_{n:02d}" for n in range(domains)], sources, 0)
    writer = _Writer(registry, history)
    writer.put(ENVIRONMENT, {"digest": environment_digest(), "facts": environment()}, BEGAN, "")
    links = [history.file("links", n) for n in range(6)]
    writer.make(LINKS, None, {}, {}, BEGAN, "links", inputs=links)
    while history.events < events:
        _day(writer, history)
        history.days += 1
    writer.write()
    return history


def _day(writer: _Writer, history: History) -> None:
    day, at = history.days, BEGAN + timedelta(days=history.days)
    for domain in history.domains:
        inputs = [history.file(domain, n) for n in range(day + 1)]
        writer.run(at, f"{day} {domain}")
        writer.make(EVENTS, domain, {"behaviors": {"view": 1.0}}, {}, at, f"{day} {domain}", inputs=inputs)
    parents = {f"events:{d}": history.latest[EVENTS, d] for d in history.domains}
    parents["links"] = history.latest[LINKS, None]
    writer.run(at, f"{day} graph")
    roles = {
        d: {"role": "source" if n < history.sources else "target"} for n, d in enumerate(history.domains)
    }
    graph = writer.make(GRAPH, None, {"domains": roles}, parents, at, f"{day} graph")
    params = plain(asdict(PretrainParams(epochs=5 + day % 2)))
    encoder = writer.make(ENCODER, None, params, {"graph": graph}, at, f"{day} graph", seeds=[day % 3])
    transfer = plain(asdict(TransferParams()))
    for domain in history.targets:
        run = f"{day} publish {domain}"
        writer.run(at, run)
        above = {"graph": graph, "encoder": encoder}
        above["model"] = writer.make(MODEL, domain, transfer, above, at, run, seeds=[0])
        first = writer.anchors.get(domain)
        made = writer.make(
            PUBLISHED,
            domain,
            {"space": {"align": True}},
            above | ({"anchor": first} if first else {}),
            at,
            run,
        )
        writer.anchors.setdefault(domain, made)
        if day % 30 == 7:
            writer.decide(domain, above["model"], at)
        writer.move(domain, made, day + 1, at, run)


class _Writer:
    """Writes events and their rows in bulk."""

    def __init__(self, registry: Registry, history: History) -> None:
        self.registry, self.history = registry, history
        self.head, self.anchors = Head(), dict[str, str]()
        self._rows: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        self._waiting = 0

    def put(self, kind: str, body: dict[str, Any], at: datetime, run_id: str) -> None:
        """Puts an event on record."""
        iso = at.isoformat(timespec="microseconds")
        event = Event(self.head.seq + 1, self.head.hash, iso, PLATFORM, kind, "nightly", run_id, body)
        entry = event.entry
        self.head = Head(event.seq, hash_of(entry))
        told = {"seq": event.seq, "hash": self.head.hash, "platform": PLATFORM, "kind": kind, "at": at}
        told |= {"who": "nightly", "run_id": run_id, "entry": entry, "key_id": None, "signature": None}
        self._rows[EventRecord].append(told)
        for row in rows_of(event):
            names = type(row).__table__.columns.keys()
            self._rows[type(row)].append({name: getattr(row, name) for name in names})
        self.history.events += 1
        self._waiting += 1
        if self._waiting >= _BATCH:
            self.write()

    def write(self) -> None:
        """Commits what waits."""
        with Session(self.registry._engine.execution_options(writes=True)) as s, s.begin():
            for table, rows in self._rows.items():
                s.execute(insert(table), rows)
        self._rows.clear()
        self._waiting = 0

    def run(self, at: datetime, name: str) -> None:
        """A run begins."""
        self.put(RUN, {"machine": machine(), "code_commit": "c" * 40, "lock": "l" * 64}, at, _sha(name)[:36])

    def make(
        self,
        kind: str,
        domain: str | None,
        params: dict[str, Any],
        parents: dict[str, str],
        at: datetime,
        run: str,
        *,
        inputs: list[dict[str, Any]] | None = None,
        seeds: list[int] | None = None,
    ) -> str:
        """An artifact is recorded with its request and its checks; its digest."""
        manifest = {
            "format": 1, "kind": kind, "partition": domain, "request_key": _sha(f"{kind} {domain} {at}"),
            "code_version": CODE_VERSIONS[kind], "params": params, "seeds": seeds or [], "parents": parents,
            "inputs": inputs or [], "environment": environment_digest(), "files": list(_files(inputs or [])),
            "tables": {"events": [{"name": f"column_{n}", "type": "string"} for n in range(8)]},
            "summary": {"rows_in": 15_000 + self.history.days, "rows_out": 14_900, "users": 3_438},
        }  # fmt: skip
        digest, run_id = digest_of(manifest), _sha(run)[:36]
        commit = _sha(f"commit {self.history.days * COMMITS // 365}")[:40]
        body = {"digest": digest, "manifest": manifest, "code_commit": commit, "seconds": 12.5}
        self.put(ARTIFACT, body, at, run_id)
        self.put(REQUEST, {"request_key": manifest["request_key"], "digest": digest}, at, run_id)
        about = {
            "artifact": digest,
            "request_key": manifest["request_key"],
            "kind": kind,
            "partition": domain,
        }
        checks = [{"name": n, "passed": True, "facts": self._detail(digest, n)} for n in _CHECKS]
        self.put(CHECKS, {**about, "checks": checks}, at, run_id)
        self.history.latest[kind, domain] = digest
        self.history.artifacts[kind].append(digest)
        return digest

    def move(self, domain: str, digest: str, version: int, at: datetime, run: str) -> None:
        """The set goes live."""
        body = {
            "domain": domain, "alias": "live", "version": version, "digest": digest, "action": "publish",
            "change": "same", "space": digest[:16], "facts": {}, "why": "published by the pipeline",
        }  # fmt: skip
        self.put(ALIAS, body, at, _sha(run)[:36])

    def decide(self, domain: str, model: str, at: datetime) -> None:
        """Somebody lets a model pass."""
        until = (at + timedelta(days=7)).isoformat()
        body = {"domain": domain, "kind": "waiver", "subject": model, "why": "a launch", "until": until}
        self.put(DECISION, {**body, "facts": {}}, at, "")

    def _detail(self, digest: str, name: str) -> str:
        body = ascii_json({"salt": digest[:32], "facts": {"check": name, "rows": 15_000, "missing": 0}})
        self._rows[DetailRecord].append({"digest": hash_of(body), "body": body})
        return hash_of(body)


def _files(inputs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Files of an artifact: one of events and one of quarantined rows a raw file, and a few of its own."""
    for n, of in enumerate(inputs):
        for folder in ("events", "quarantine"):
            path = f"{folder}/part-{n:05d}-{of['sha256'][:8]}.parquet"
            yield {"path": path, "sha256": _sha(path), "bytes": 420_000}
    for name in ("ledger.json", "profile.json"):
        yield {"path": name, "sha256": _sha(name), "bytes": 8_000}


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
