"""Small published sets with a mark everywhere, the place they are published at, and a reader that watches.

Every vector, name, seen item and the index of a set follow from its mark alone, so that an answer which mixes
two sets, or half of one, differs from what the mark says. Sets are made by the real `Workshop.make`,
`write_set` and `go_live`; left out are the stages before them and the comparison of spaces, which reads.
"""

from __future__ import annotations

import multiprocessing as mp
import time
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from hier_dag.environment import code_commit, environment_digest
from hier_dag.graph.knowledge_graph import Interactions
from hier_dag.pipeline.policy import Policy
from hier_dag.pipeline.publication import Published, go_live
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.pipeline.workshop import Built, Outcome, Workshop
from hier_dag.publish.files import WriteNotes, write_set
from hier_dag.publish.reader import PublishedSet, open_set
from hier_dag.registry import CheckRow, Registry
from hier_dag.store import Artifact, ArtifactStore
from hier_dag.transfer.vectors import DomainVectors

DOMAIN = "cafe"
USERS, ITEMS, DIM, SEEN, K = 40, 60, 8, 5, 10
PROBE = 7
"""User whose recommendations are asked for."""
MODEL = "0" * 64
CONTEXT = mp.get_context("forkserver")
_LATE = ("pandas", "pyarrow.parquet", "sqlalchemy.dialects.sqlite")  # imported on first use otherwise
CONTEXT.set_forkserver_preload([__name__, *_LATE, "hier_dag.config", "hier_dag.retention.collect"])
_INHERITED = (environment_digest(), code_commit())  # slow to find out; processes get it with the fork

_USER_IDS = np.array([f"u{n:04}" for n in range(USERS)], object)
_ITEM_IDS = np.array([f"i{n:04}" for n in range(ITEMS)], object)


@dataclass(frozen=True)
class Site:
    """Where sets are published.

    Attributes:
        home: a platform's folder.
        copies: folders that hold copies.
        url: of the registry; None for a SQLite file at home.
    """

    home: Path
    copies: tuple[str, ...] = ()
    url: str | None = None

    def workshop(self) -> Workshop:
        """The store and the registry, opened."""
        self.home.mkdir(parents=True, exist_ok=True)
        return Workshop(ArtifactStore(self.home / "store"), self.registry())

    def registry(self) -> Registry:
        """The registry, opened."""
        return Registry(self.url or f"sqlite:///{self.home / 'registry.db'}", platform=self.home.name)

    def policy(self) -> Policy:
        """Gates let everything pass: sets of two marks are of two spaces."""
        return Policy(home=self.home, copies=self.copies, breaking_blocks=False)

    def make(self, workshop: Workshop, mark: int) -> Outcome:
        """The set of a mark, made or found."""
        return workshop.make(request(mark), _build, run_id=f"run {mark}")

    def publish(self, workshop: Workshop, mark: int) -> Published:
        """What a run of the pipeline does last; to do so again changes nothing."""
        return self.go_live(workshop, self.make(workshop, mark))

    def go_live(self, workshop: Workshop, outcome: Outcome) -> Published:
        """Moves the alias to a set that was made."""
        return go_live(
            workshop, outcome.artifact, self.policy(), _compare,
            run_id="run", why="published by the pipeline", facts={"latency": outcome.checks[-1].facts},
        )  # fmt: skip

    def roots(self) -> list[str]:
        """Everywhere a reader may look."""
        return [str(self.home), *self.copies]


def _compare(new: Artifact, live: Artifact | None) -> tuple[str, dict[str, Any]]:
    return ("first" if live is None else "breaking"), {}


def request(mark: int) -> Request:
    """What asks for the set of a mark."""
    return Request(PUBLISHED, DOMAIN, "1", {"mark": mark}, {"model": MODEL})


def vectors(mark: int) -> DomainVectors:
    """The vectors of a mark."""
    rng = np.random.default_rng(mark)
    return DomainVectors(
        users=np.arange(USERS), user_vectors=rng.normal(size=(USERS, DIM)).astype(np.float32),
        user_origin=np.zeros(USERS, np.int8), items=np.arange(ITEMS),
        item_vectors=rng.normal(size=(ITEMS, DIM)).astype(np.float32),
        item_origin=np.zeros(ITEMS, np.int8), method="closed_form",
    )  # fmt: skip


def seen(mark: int) -> Interactions:
    """Pairs of a mark: each user has acted on the items from a place that the mark decides."""
    user = np.repeat(np.arange(USERS), SEEN)
    item = (user + 7 * mark + np.tile(np.arange(SEEN), USERS)) % ITEMS
    n = len(user)
    return Interactions(
        user=user, item=item, split=np.zeros(n, np.int8), shot_rank=np.zeros(n, np.int32),
        share_rank=np.zeros(n), weight=np.ones(n, np.float32),
    )  # fmt: skip


def _build(asked: Request, staged: Path) -> Built:
    mark, notes = int(asked.params["mark"]), WriteNotes()
    names = np.array([f"{i} of {mark}" for i in _ITEM_IDS], object)
    about = {"domain": DOMAIN, "mark": mark, "space": f"{mark:016x}"}
    facts = write_set(staged, vectors(mark), _USER_IDS, _ITEM_IDS, names, seen(mark), about, notes=notes)
    return Built(
        summary=facts, checks=[CheckRow("index_recall", True, notes.latency)], known=tuple(notes.entries)
    )


@dataclass(frozen=True)
class _Expected:
    users: np.ndarray
    items: np.ndarray
    best: list[str]
    scores: np.ndarray


@lru_cache(maxsize=64)
def _expected(mark: int) -> _Expected:
    made, pairs = vectors(mark), seen(mark)
    scores = made.item_vectors @ made.user_vectors[PROBE]
    scores[pairs.item[pairs.user == PROBE]] = -np.inf
    best = np.argsort(-scores)[:K]
    return _Expected(made.user_vectors, made.item_vectors, list(_ITEM_IDS[best]), scores[best])


def what_is_wrong(found: PublishedSet) -> str | None:
    """Which part of a set's answers is not that of its mark; None where all are."""
    mark = int(found.facts["mark"])
    expected, got = _expected(mark), found.recommend(str(_USER_IDS[PROBE]), K)
    parts = {
        "space": found.record.space == f"{mark:016x}",
        "user vectors": np.array_equal(found.user_vectors(list(_USER_IDS)), expected.users),
        "item vectors": np.array_equal(found.item_vectors(list(_ITEM_IDS)), expected.items),
        "index and seen": [r.item_id for r in got] == expected.best,
        "scores": np.allclose([r.score for r in got], expected.scores, rtol=1e-4),
        "names": all(r.name == f"{r.item_id} of {mark}" for r in got),
    }
    return next((f"{part} of version {found.version}" for part, right in parts.items() if not right), None)


@dataclass(frozen=True)
class Watched:
    """What a reader saw.

    Attributes:
        reads: answers, each compared with what its mark says.
        wrong: answers that were mixed or torn, or of a version before one that was seen.
        failed: reads that ended in an error, in words.
        versions: distinct versions that answered.
    """

    reads: int
    wrong: list[str]
    failed: list[str]
    versions: int


class Watch:
    """A process that reads all the time, from every place by turns, while the block is run.

    Args:
        site: something must be published there.
        marked: whether each version has the mark of its number.
    """

    def __init__(self, site: Site, *, marked: bool = True) -> None:
        self._pipe, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_watch, args=(site.roots(), marked, theirs), daemon=True)
        self.seen: Watched | None = None

    def __enter__(self) -> Watch:
        self._process.start()
        if not self._pipe.poll(60):
            raise RuntimeError("the reader did not start")
        self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send("stop")
        self.seen = self._pipe.recv()
        self._process.join()

    def found(self) -> Watched:
        """What it saw, once the block has ended."""
        if self.seen is None:
            raise RuntimeError("the reader is still at it")
        return self.seen


def _watch(roots: list[str], marked: bool, pipe: Connection) -> None:
    held = {root: open_set(root, DOMAIN) for root in roots}
    last: Counter[str] = Counter()
    reads, wrong, failed, versions = 0, list[str](), list[str](), set[int]()
    pipe.send("at it")
    while not pipe.poll():
        root = roots[reads % len(roots)]
        reads += 1
        try:
            held[root] = open_set(root, DOMAIN) if reads % 5 == 0 else held[root].refresh()
            mistake = what_is_wrong(held[root])
            at = held[root].version
            if mistake is None and marked and held[root].facts["mark"] != at:
                mistake = f"version {at} has the mark {held[root].facts['mark']}"
            if mistake is None and at < last[root]:
                mistake = f"version {at} after version {last[root]}"
            wrong += [] if mistake is None else [mistake]
            last[root] = max(last[root], at)
            versions.add(at)
        except Exception as error:
            failed.append(repr(error))
        time.sleep(0.005)
    pipe.send(Watched(reads, wrong, failed, len(versions)))


def gaps(site: Site) -> list[str]:
    """What is not as it must be once all is done: versions on record, their records, the newest at copies."""
    from hier_dag.publish.aliases import AliasRecords

    history = site.registry().alias_history(DOMAIN)
    found = []
    if [row.version for row in history] != list(range(len(history), 0, -1)):
        found.append(f"versions {[row.version for row in history]}")
    found += [f"no record of version {row.version}" for row in history if AliasRecords(site.home).lacks(row)]
    found += [f"{place} lacks the newest" for place in site.copies if AliasRecords(place).lacks(history[0])]
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table."""
    head = list(rows[0])
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(str(row[h]) for h in head)} |" for row in rows)])
