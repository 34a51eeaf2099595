"""What is still to be made anew after erasures, and where each artifact of a receipt stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hier_dag.erasure.erased import RECEIPT, erasures
from hier_dag.erasure.grades import HOLDS
from hier_dag.erasure.guard import Guard
from hier_dag.erasure.receipt import Receipt
from hier_dag.erasure.superseded import made_of
from hier_dag.names import title_of
from hier_dag.pipeline.stages import ENCODER, EVENTS, GRAPH, LINKS, MODEL, PUBLISHED
from hier_dag.registry import Registry
from hier_dag.retention.records import records_of
from hier_dag.store import ArtifactStore
from hier_dag.store.shelves import Shelves

SUPPRESSED, RETRAINED, COLLECTED, AWAITS = "suppressed", "retrained", "collected", "awaits re-training"
_ORDER = (EVENTS, LINKS, GRAPH, ENCODER, MODEL, PUBLISHED)


@dataclass(frozen=True)
class Stale:
    """The newest answer of a kind and partition, which has something of erased users.

    Attributes:
        kind: of it.
        partition: its domain; None without one.
        digest: of it.
        grade: `holds` or `learnt`.
    """

    kind: str
    partition: str | None
    digest: str
    grade: str

    @property
    def title(self) -> str:
        """How a person calls it."""
        return title_of(self.kind, self.partition)


def stale_because_of_erasures(
    registry: Registry, store: ArtifactStore, home: Path | None = None
) -> list[Stale]:
    """Everything that the next run makes anew because of erasures, in the order of the pipeline.

    Args:
        registry: of the platform.
        store: of its artifacts.
        home: folder of its state; by default the one that the store lies in.

    Raises:
        ConfigError: users were erased, and the secret that recognises them is gone.
    """
    guard = Guard(store, registry, home)
    erased = guard.erased()
    if erased is None:
        return []
    answers = [
        a
        for a in records_of(registry, datetime.now(UTC)).newest
        if a.platform == registry.platform and a.kind in _ORDER
    ]
    words = guard.words(erased, [a.digest for a in answers])
    stale = [Stale(a.kind, a.partition, a.digest, word) for a in answers if (word := words[a.digest])]
    return sorted(stale, key=lambda s: (_ORDER.index(s.kind), s.partition or ""))


@dataclass(frozen=True)
class Kept:
    """An artifact that holds erased users, was made anew, and stays for what an alias names.

    Attributes:
        kind: of it.
        partition: its domain; None without one.
        digest: of it.
        alias: name of the alias.
        domain: of the alias.
    """

    kind: str
    partition: str | None
    digest: str
    alias: str
    domain: str


def kept_for_aliases(registry: Registry, store: ArtifactStore, home: Path | None = None) -> list[Kept]:
    """What `hier forget --finish` does not remove, because something that an alias names was made of it.

    Args:
        registry: of the platform.
        store: of its artifacts.
        home: folder of its state; by default the one that the store lies in.

    Raises:
        ConfigError: users were erased, and the secret that recognises them is gone.
    """
    guard = Guard(store, registry, home)
    erased = guard.erased()
    if erased is None:
        return []
    kept = []
    for head in registry.all_aliases():
        rows = [r for d in made_of(registry, {head.digest}) if (r := registry.artifact(d)) is not None]
        words = guard.words(erased, [r.digest for r in rows])
        for row in rows:
            if words[row.digest] == HOLDS and store.has(row.kind, row.digest):
                newest = registry.latest(row.kind, row.partition)
                if newest not in (None, row.digest) and guard.words(erased, [newest])[newest] is None:
                    kept.append(Kept(row.kind, row.partition, row.digest, head.alias, head.domain))
    return sorted(kept, key=lambda k: (k.domain, k.alias, k.kind, k.partition or ""))


def standing(
    registry: Registry, store: ArtifactStore, receipt: Receipt, home: Path | None = None
) -> list[dict[str, object]]:
    """Where each artifact of a receipt stands: its entry there, with `state`.

    Args:
        registry: of the platform.
        store: of its artifacts.
        receipt: of an erasure.
        home: folder of its state; by default the one that the store lies in.
    """
    guard = Guard(store, registry, home)
    erased = guard.erased()
    there = {a.digest for a in Shelves(store.root).look()}

    def state(digest: str, kind: str, partition: str | None) -> str:
        newest = registry.latest(kind, partition)
        anew = (
            newest not in (None, digest)
            and erased is not None
            and guard.words(erased, [str(newest)])[str(newest)] is None
        )
        if digest not in there and (anew or digest not in receipt.replaced):
            return COLLECTED
        if anew:
            return RETRAINED
        return SUPPRESSED if digest in receipt.replaced else AWAITS

    return [{**a, "state": state(a["digest"], a["kind"], a["partition"])} for a in receipt.artifacts]


def recorded(registry: Registry) -> list[dict[str, object]]:
    """Every erasure on record, newest first: receipt, at, who, why, users, and whether it was carried out.

    One that ended early was carried out as well where later ones were that have all of its users.
    """
    done = {d.subject for d in registry.decisions(kinds=(RECEIPT,))}
    over: set[str] = set()
    for d in erasures(registry):
        if d.subject in done:
            over |= set(d.facts["tokens"])
        elif over.issuperset(d.facts["tokens"]):
            done.add(d.subject)
    return [
        {
            "receipt": d.subject,
            "at": d.created_at,
            "who": d.who,
            "why": d.why,
            "users": len(d.facts["tokens"]),
            "finished": d.subject in done,
        }
        for d in erasures(registry)
    ]
